import { etagOf, revisionIn } from './conditional.ts';

const digest = '1-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa';

it.each([
  ['an ETag of a command', etagOf(3), 3],
  ['an ETag of a read', `"3-${digest}"`, 3],
  ['an ETag of a programme that is still joining', `"-1-${digest}"`, -1],
  ['an ETag without a revision', `"${digest}"`, -1],
])('%s names a revision', (_, etag, revision) => {
  expect(revisionIn(etag)).toBe(revision);
});
