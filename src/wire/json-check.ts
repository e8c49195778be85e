/** Whether bytes are JSON, and such that a classic peer can read. */
import { isUtf8 } from 'node:buffer';

/** Deepest nesting that Python's json module reads with room to spare (its recursion limit is 1,000). */
export const MAX_CLASSIC_DEPTH = 500;

/** Most digits of a number that Python reads (sys.int_info.default_max_str_digits is 4,300). */
export const MAX_CLASSIC_DIGITS = 4000;

/** Whether `bytes` is one JSON value in UTF-8. */
export function isJson(bytes: Buffer): boolean {
  if (!isUtf8(bytes)) return false;
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}

/** Whether `bytes` is one JSON value that a classic peer can read: not nested too deeply, no number too long. */
export function isClassicJson(bytes: Buffer): boolean {
  return isSimple(bytes) && isJson(bytes);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Looks at the bytes outside strings; what is no JSON at all may pass. */
function isSimple(bytes: Buffer): boolean {
  let depth = 0;
  let digits = 0;
  let quoted = false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] as number;
    if (quoted) {
      if (byte === BACKSLASH) index += 1;
      else if (byte === QUOTE) quoted = false;
      continue;
    }
    if (byte >= 0x30 && byte <= 0x39) {
      digits += 1;
      if (digits > MAX_CLASSIC_DIGITS) return false;
      continue;
    }
    digits = 0;
    if (byte === QUOTE) quoted = true;
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > MAX_CLASSIC_DEPTH) return false;
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return true;
}
