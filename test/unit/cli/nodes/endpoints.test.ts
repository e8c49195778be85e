import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explainBindErrors } from '../../../../src/cli/nodes/endpoints.ts';
import { CommandError } from '../../../../src/cli/settings/errors.ts';
import { ZeroMQConfigError, ZeroMQSocketInvalid } from '../../../../src/core/messages/errors.ts';

const LISTENERS = [
  { setting: 'frontend', endpoint: 'tcp://127.0.0.1:555' },
  { setting: 'backend', endpoint: 'tcp://localhost:5555' },
  { setting: 'heartbeat', endpoint: 'ipc:///run/beat.sock' },
  { setting: 'port', endpoint: '127.0.0.1:8080' },
];

function failing(error: Error, listeners = LISTENERS): Promise<unknown> {
  return explainBindErrors(listeners, () => Promise.reject(error));
}

const reported = (message: string) => ({ constructor: CommandError, message });
const inUse = (message: string) => new ZeroMQSocketInvalid('EADDRINUSE', message);

describe('error for an address that cannot be bound', () => {
  it('names the setting and its value', async () => {
    await assert.rejects(
      failing(inUse('cannot bind tcp://127.0.0.1:5555: Address already in use')),
      reported(
        'cannot bind tcp://localhost:5555: another process uses the address; stop that process or choose another backend with --backend or ZMQ_GATEWAY_BACKEND',
      ),
    );
    await assert.rejects(
      failing(inUse('cannot bind ipc:///run/beat.sock: another process listens there')),
      reported(
        'cannot bind ipc:///run/beat.sock: another process uses the address; stop that process or choose another heartbeat with --heartbeat or ZMQ_GATEWAY_HEARTBEAT',
      ),
    );
    const cause = Object.assign(new Error('listen EADDRINUSE: address already in use 127.0.0.1:8080'), {
      code: 'EADDRINUSE',
    });
    await assert.rejects(
      failing(new ZeroMQConfigError(`cannot listen on 127.0.0.1:8080: ${cause.message}`, { cause })),
      reported(
        'cannot bind 127.0.0.1:8080: another process uses the address; stop that process or choose another port with --port or ZMQ_GATEWAY_PORT',
      ),
    );
  });

  it('does not blame another process if the cause is different', async () => {
    const remedy = 'choose another heartbeat with --heartbeat or ZMQ_GATEWAY_HEARTBEAT';
    for (const reason of ['the path is a file that is not a socket', 'the folder /run does not exist']) {
      const message = `cannot bind ipc:///run/beat.sock: ${reason}`;
      await assert.rejects(failing(inUse(message)), reported(`${message}; ${remedy}`));
    }
  });

  it('names both settings if they have the same address', async () => {
    const listeners = ['frontend', 'backend'].map((setting) => ({ setting, endpoint: 'tcp://*:5555' }));
    await assert.rejects(
      failing(inUse('cannot bind tcp://*:5555: Address already in use'), listeners),
      reported(
        'cannot bind tcp://*:5555: frontend and backend have the same address; choose another frontend with --frontend or ZMQ_GATEWAY_FRONTEND',
      ),
    );
  });

  it('does not change other errors', async () => {
    for (const error of [new Error('127.0.0.1:8080'), inUse('cannot bind inproc://elsewhere: no')]) {
      await assert.rejects(failing(error), (thrown) => thrown === error);
    }
  });
});
