import {
  Body,
  Controller,
  Get,
  HttpException,
  Inject,
  NotFoundException,
  Param,
  ParseIntPipe,
  Post,
  Query,
} from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import { ApiCreatedResponse, ApiNotFoundResponse, ApiOkResponse } from '@nestjs/swagger';
import { firstValueFrom } from 'rxjs';
import { CreateTask, ListTasks, type Owner, Task } from './dto.js';

const tasks: Task[] = [{ id: 1, title: 'Write docs', owner: 'Ada Lovelace' }];

@Controller('tasks')
export class TasksController {
  constructor(@Inject('OWNERS') private readonly owners: ClientProxy) {}

  @Post()
  @ApiCreatedResponse({ type: Task })
  @ApiNotFoundResponse({ description: 'Unknown owner' })
  async create(@Body() { title, owner }: CreateTask): Promise<Task> {
    const found = await firstValueFrom(
      this.owners.send<Owner, { id: string }>('owners.get', { id: owner }),
    ).catch((error: { status?: number; message: string }) => {
      throw new HttpException(error.message, error.status ?? 502);
    });
    const created = { id: tasks.length + 1, title, owner: found.name };
    tasks.push(created);
    return created;
  }

  @Get(':id')
  @ApiOkResponse({ type: Task })
  @ApiNotFoundResponse({ description: 'Unknown task' })
  get(@Param('id', ParseIntPipe) id: number): Task {
    const found = tasks.find((one) => one.id === id);
    if (found === undefined) throw new NotFoundException(`no task has the id ${id}`);
    return found;
  }

  @Get()
  @ApiOkResponse({ type: [Task] })
  list(@Query() { limit }: ListTasks): Task[] {
    return tasks.slice(0, limit);
  }
}
