import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { runDemo } from '#apps/cli/demo';
import { describeWithDocker, POSTGRESQL, START_MILLISECONDS } from './docker.ts';

const PORT = 5432;

describeWithDocker('PostgreSQL in a container', () => {
  let server: StartedTestContainer;
  beforeAll(async () => {
    server = await new GenericContainer(POSTGRESQL)
      .withEnvironment({ POSTGRES_PASSWORD: 'of-this-test' })
      .withExposedPorts(PORT)
      .withWaitStrategy(Wait.forLogMessage(/database system is ready to accept connections/, 2))
      .start();
  }, START_MILLISECONDS);
  afterAll(() => server.stop());

  test(
    'the demo produces the same history with its read models there, and breaks no law',
    async () => {
      const databaseUrl = `postgres://postgres:of-this-test@${server.getHost()}:${server.getMappedPort(PORT)}/postgres`;
      const demo = { days: 3, seed: 7, until: '2026-05-01T00:00:00.000Z' };
      const there = await runDemo({ ...demo, databaseUrl });
      const here = await runDemo(demo);
      expect(there).toMatchObject({ logDigest: here.logDigest, laws: here.laws });
    },
    START_MILLISECONDS,
  );
});
