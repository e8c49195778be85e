/** A platform: names of the operating system, the processor and the C library. */
export interface Target {
  readonly platform: string;
  readonly arch: string;
  readonly libc: string;
}

export function isForPlatform(file: string, target: Target): boolean;
export function removeOthers(root: string, target: Target): string[];
