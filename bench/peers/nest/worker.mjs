/** The Nest microservice behind the Nest gateway, on NATS. */
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Payload, Transport } from '@nestjs/microservices';
import { ready } from '../ready.mjs';

class EchoController {
  echo(data) {
    return { message: data.message };
  }

  post(data) {
    return { message: data.message };
  }
}

function handle(pattern, method) {
  const descriptor = Object.getOwnPropertyDescriptor(EchoController.prototype, method);
  MessagePattern(pattern)(EchoController.prototype, method, descriptor);
  Payload()(EchoController.prototype, method, 0);
  Reflect.defineMetadata('design:paramtypes', [Object], EchoController.prototype, method);
}

Controller()(EchoController);
handle('echo.get', 'echo');
handle('echo.post', 'post');

class WorkerModule {}
Module({ controllers: [EchoController] })(WorkerModule);

const app = await NestFactory.createMicroservice(WorkerModule, {
  transport: Transport.NATS,
  options: { servers: [process.env.PEER_NATS] },
  logger: ['error', 'warn'],
});
await app.listen();
ready();
