// The sidecar as a container would run it: an ordinary user without a capability, a root file system that cannot be written,
// and one directory that can. It counts, is killed, starts again and has lost nothing.
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { encodeBatch } from '../../kong-plugin/contract/batch';
import { batchOf, deltaOf } from '../support/batches';
import { describeAsRoot } from '../support/describe-as-root';
import { describeWith } from '../support/program';
import { RunningProgram } from '../support/running-program';
import { parseSamples, sumOf } from '../support/samples';

const SIDECAR = resolve(__dirname, '../../dist/sidecar/main.js');

/** Nobody, who owns nothing. */
const USER = '65534';

/**
 * A shell in a mount namespace of its own, in which everything is read-only but `writable`; then the
 * command as an ordinary user.
 */
function confined(unshare: string, writable: string, command: readonly string[]): RunningProgram {
  const script = [
    'set -e',
    'mount --make-rprivate /',
    `mount --bind '${writable}' '${writable}'`,
    // Everything else that is mounted, the root last.
    `for at in $(awk '{ print $5 }' /proc/self/mountinfo | grep -vE '^(/|/proc|/sys|/dev)(/|$)' | grep -vF '${writable}'); do mount -o remount,bind,ro "$at"; done`,
    'mount -o remount,bind,ro /',
    `exec setpriv --reuid ${USER} --regid ${USER} --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all -- "$@"`,
  ].join('\n');
  return new RunningProgram(unshare, ['--mount', '/bin/sh', '-c', script, 'sh', ...command]);
}

describeWith('setpriv', 'a sidecar as an ordinary user', () => {
  describeAsRoot('that root confines', () => {
    describeWith('unshare', 'to a read-only file system', confinedSidecar);
  });
});

function confinedSidecar(unshare: string): void {
  let directory: string;
  let data: string;
  let configFile: string;
  const started: RunningProgram[] = [];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gatewatch-read-only-'));
    data = join(directory, 'data');
    configFile = join(directory, 'gatewatch.yml');
    mkdirSync(data);
    writeFileSync(configFile, `listen: 127.0.0.1:0\ndata_dir: ${join(data, 'ledger')}\n`);
    chmodSync(directory, 0o755);
    chmodSync(data, 0o700);
    chownSync(data, Number(USER), Number(USER));
  });

  afterEach(async () => {
    for (const program of started.splice(0)) await program.end('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  function start(
    command: readonly string[] = [process.execPath, SIDECAR, '--config', configFile],
  ): RunningProgram {
    const program = confined(unshare, data, command);
    started.push(program);
    return program;
  }

  it('is what the test says it is', async () => {
    const script = `
      const { writeFileSync, readFileSync } = require('node:fs');
      const tries = ['${directory}/x', '${process.cwd()}/x', '/var/tmp/x', '${data}/x'].map((path) => {
        try { writeFileSync(path, ''); return 'written'; } catch (error) { return error.code; }
      });
      const status = readFileSync('/proc/self/status', 'utf8');
      console.log(JSON.stringify({ tries, uid: process.getuid(), caps: /CapEff:\\s*(\\w+)/.exec(status)[1], bound: /CapBnd:\\s*(\\w+)/.exec(status)[1], nnp: /NoNewPrivs:\\s*(\\d)/.exec(status)[1] }));`;
    const probe = start([process.execPath, '-e', script]);
    await probe.ended;
    expect(JSON.parse(probe.output)).toEqual({
      tries: ['EROFS', 'EROFS', 'EROFS', 'written'],
      uid: Number(USER),
      caps: '0000000000000000',
      bound: '0000000000000000',
      nnp: '1',
    });
  });

  it('counts, is killed, and goes on with what it had', async () => {
    const listening = async (program: RunningProgram): Promise<string> => {
      const [, address = ''] = await program.says(/"address":"([^"]+)".*sidecar listens/);
      return `http://${address}`;
    };
    const post = async (url: string, sequence: number): Promise<unknown> => {
      const body = encodeBatch(batchOf([deltaOf({}, [120, 130])], sequence));
      return (await fetch(`${url}/v1/batches`, { method: 'POST', body })).json();
    };
    const requests = async (url: string): Promise<number> =>
      sumOf(parseSamples(await (await fetch(`${url}/metrics`)).text()), 'gatewatch_requests_total');

    const first = start();
    let url = await listening(first);
    expect(await post(url, 1)).toMatchObject({ result: 'applied' });
    expect(await requests(url)).toBe(2);
    expect(userOf(first.pid)).toBe(USER);
    expect(readdirSync(join(data, 'ledger')).length).toBeGreaterThan(0);
    await first.end('SIGKILL');

    const second = start();
    url = await listening(second);
    expect(await post(url, 1)).toMatchObject({ result: 'duplicate' });
    expect(await post(url, 2)).toMatchObject({ result: 'applied' });
    expect(await requests(url)).toBe(4);
    // A reload only reads.
    expect((await fetch(`${url}/-/reload`, { method: 'POST' })).status).toBe(200);
    expect((await second.end()).code).toBe(0);
  });

  it('says what to do when its directory cannot be written either', async () => {
    writeFileSync(configFile, `listen: 127.0.0.1:0\ndata_dir: ${join(directory, 'elsewhere')}\n`);
    const program = start();
    expect((await program.ended).code).toBe(1);
    expect(program.output).toMatch(/EROFS|read-only/i);
    expect(program.output).not.toMatch(/^\s+at /m);
  });
}

/** The real user of a process. */
function userOf(pid: number): string | undefined {
  return /^Uid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
}
