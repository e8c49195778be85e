import { type INestApplication, Module, ValidationPipe } from '@nestjs/common';
import { ClientsModule, Transport } from '@nestjs/microservices';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { OwnersController } from './owners.controller.js';
import { TasksController } from './tasks.controller.js';

export const OWNERS_PORT = Number(process.env['OWNERS_PORT'] ?? 3001);

@Module({
  imports: [
    ClientsModule.register([
      { name: 'OWNERS', transport: Transport.TCP, options: { host: '127.0.0.1', port: OWNERS_PORT } },
    ]),
  ],
  controllers: [TasksController, OwnersController],
})
export class AppModule {}

export function configure(app: INestApplication): void {
  app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }));
  const document = new DocumentBuilder().setTitle('Tasks').setVersion('1.0.0').build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, document), {
    jsonDocumentUrl: 'openapi.json',
  });
}
