/** What nobody sees or can tell apart: control and format characters, fillers, half characters, other spaces than the usual one. */
const UNTYPABLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u;

/**
 * Whether a customer who sees a code can type it (CPN-1). Unicode writes some letters in two ways: keyboards make the
 * composed one (NFC).
 */
export const isTypable = (code: string): boolean =>
  code !== '' && code === code.trim() && !UNTYPABLE.test(code) && code === code.normalize('NFC');

export const TYPABLE_CODE =
  'a text that can be typed: no spaces at its ends, no invisible or control characters, no letters in decomposed form';
