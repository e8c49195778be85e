/**
 * Nest on Express, a hybrid of HTTP controllers and a NATS client as its docs show it, in a process of its own.
 * ValidationPipe with class-validator for the POST body; no deadline. Decorators are applied by hand, which is
 * what the TypeScript compiler makes of them.
 */
import 'reflect-metadata';
import { Body, Controller, Get, HttpCode, Inject, Module, Param, Post, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientsModule, Transport } from '@nestjs/microservices';
import { IsString, Length } from 'class-validator';
import { ready } from '../ready.mjs';

class EchoBody {
  message;
}
IsString()(EchoBody.prototype, 'message');
Length(1, 10_000)(EchoBody.prototype, 'message');

class EchoController {
  constructor(client) {
    this.client = client;
  }

  get(message) {
    return this.client.send('echo.get', { message });
  }

  post(body) {
    return this.client.send('echo.post', body);
  }
}

function decorate(decorators, method) {
  const descriptor = Object.getOwnPropertyDescriptor(EchoController.prototype, method);
  for (const decorator of decorators) decorator(EchoController.prototype, method, descriptor);
}

Controller()(EchoController);
Inject('WORKERS')(EchoController, undefined, 0);
decorate([Get('echo/:message')], 'get');
Param('message')(EchoController.prototype, 'get', 0);
decorate([Post('echo'), HttpCode(200)], 'post');
Body()(EchoController.prototype, 'post', 0);
Reflect.defineMetadata('design:paramtypes', [String], EchoController.prototype, 'get');
Reflect.defineMetadata('design:paramtypes', [EchoBody], EchoController.prototype, 'post');

class AppModule {}
const options = { servers: [process.env.PEER_NATS] };
Module({
  imports: [ClientsModule.register([{ name: 'WORKERS', transport: Transport.NATS, options }])],
  controllers: [EchoController],
})(AppModule);

const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
app.useGlobalPipes(new ValidationPipe());
await app.listen(0, '127.0.0.1');
ready(`http://127.0.0.1:${app.getHttpServer().address().port}`);
