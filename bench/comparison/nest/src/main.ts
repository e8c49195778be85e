import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { type MicroserviceOptions, Transport } from '@nestjs/microservices';
import { AppModule, configure, OWNERS_PORT } from './app.js';

const app = await NestFactory.create(AppModule);
configure(app);
app.connectMicroservice<MicroserviceOptions>({
  transport: Transport.TCP,
  options: { host: '127.0.0.1', port: OWNERS_PORT },
});
app.enableShutdownHooks();
await app.startAllMicroservices();
await app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');
