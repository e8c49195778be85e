/** The wires by name. Each is imported on use, because `packed` and `framework` require a build. */
import type { Wire } from './wire.ts';

export async function wireOf(name: string): Promise<Wire> {
  switch (name) {
    case 'bare':
      return (await import('./bare.ts')).bare;
    case 'classic':
      return (await import('./classic.ts')).classic;
    case 'packed':
      return (await import('./packed.ts')).packed;
    case 'framework':
      return (await import('./framework.ts')).framework;
    default:
      throw new Error(`no wire ${name}; there are bare, classic, packed and framework`);
  }
}
