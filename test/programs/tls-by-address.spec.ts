import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedStore } from '#event-store/embedded/embedded-store';
import { startWireNode } from '#event-store/wire-node/wire-node';
import { Program } from './program.ts';

test('a node with TLS whose address is a number causes no warning of Node', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'leadger-tls-'));
  const [certificate, privateKey] = [join(directory, 'node.crt'), join(directory, 'node.key')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=node'];
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', [...request, ...names, '-keyout', privateKey, '-out', certificate], { stdio: 'ignore' });
  const store = await openEmbeddedStore();
  const tls = { certificate: readFileSync(certificate), privateKey: readFileSync(privateKey) };
  const node = await startWireNode({ store, writable: true, tls });
  const events = `esdb://127.0.0.1:${node.port}?tls=true&tlsCAFile=${certificate}`;
  const { code, stderr } = await new Program('cli', ['copy', '--from', events, '--to', join(directory, 'copy')]).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  await node.close();
  await store.close();
  rmSync(directory, { recursive: true });
});
