/** What a browser may do with an answer. Nobody frames it, no form of it is sent elsewhere, and its addresses stay where they are. */
export const policyOf = (...sources: readonly string[]): string =>
  [...sources, "object-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"].join('; ');

/** A page that loads nothing, and has its styles in it. */
export const NOTHING_BUT_STYLES = policyOf("default-src 'none'", "style-src 'unsafe-inline'");

/** Answers contain personal data: caches on the way do not keep them, and browsers do not guess their type. */
export const ON_EVERY_ANSWER: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': policyOf("default-src 'none'"),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
