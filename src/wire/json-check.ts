/** Checks that bytes are JSON, and that a classic peer can parse them. */
import { isUtf8 } from 'node:buffer';

/**
 * Maximum nesting that Python's json module parses with a safe margin (its recursion limit is
 * 1,000).
 */
export const MAX_CLASSIC_DEPTH = 500;

/**
 * Maximum digits of a number for Python, with a margin (sys.int_info.default_max_str_digits is
 * 4,300).
 */
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

/**
 * Whether `bytes` is one JSON value that a classic peer can parse: not nested too deeply, and no
 * number too long.
 */
export function isClassicJson(bytes: Buffer): boolean {
  return isSimple(bytes) && isJson(bytes);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Checks nesting and numbers outside strings; the bytes need not be valid JSON. */
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
