import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import helmet from 'helmet';

const NOTHING = ["'none'"];
const SECONDS_A_YEAR = 31_536_000;

/**
 * What browsers may do with answers: nothing of them runs, is shown inside another page, or is read by one of another site; and
 * they contain personal data, so that nothing on the way keeps them. A page says itself what it needs besides.
 */
export function protectionOf(publicUrl: string | undefined): (request: FastifyRequest, reply: FastifyReply) => void {
  const isEncrypted = publicUrl?.startsWith('https:') ?? false;
  const protect = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: NOTHING, frameAncestors: NOTHING, baseUri: NOTHING, formAction: NOTHING },
    },
    strictTransportSecurity: isEncrypted && { maxAge: SECONDS_A_YEAR, includeSubDomains: false },
    xFrameOptions: { action: 'deny' },
  });
  return (request, reply) => {
    reply.header('cache-control', 'no-store');
    protect(request.raw, reply.raw, (error) => {
      if (error) throw error;
    });
  };
}

/** For an answer that no hook sees: what came was no HTTP. */
export const HEADER_LINES =
  "content-security-policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'\r\n" +
  'referrer-policy: no-referrer\r\nx-content-type-options: nosniff\r\ncache-control: no-store\r\n';

const OF_ALL_PAGES = "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** Of the page that documents the API, which comes with a package: it writes styles into its elements. */
export const DOCUMENTATION_POLICY = `default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; ${OF_ALL_PAGES}`;

/** A page without scripts, whose only style is the one that it contains. */
export function sendPage(reply: FastifyReply, page: string): string {
  const styles = [...page.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(
    ([, style = '']) => `'sha256-${hash('sha256', style, 'base64')}'`,
  );
  reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', `default-src 'none'; style-src ${styles.join(' ')}; ${OF_ALL_PAGES}`);
  return page;
}
