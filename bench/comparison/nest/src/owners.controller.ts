import { Controller } from '@nestjs/common';
import { MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import type { Owner } from './dto.js';

const names = new Map([['ada', 'Ada Lovelace']]);

@Controller()
export class OwnersController {
  @MessagePattern('owners.get')
  get(@Payload() { id }: { id: string }): Owner {
    const name = names.get(id);
    if (name === undefined) throw new RpcException({ status: 404, message: `no owner is called ${id}` });
    return { id, name };
  }
}
