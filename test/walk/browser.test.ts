// What a real browser makes of the sidecar: it shows the pages for people as text, and what another site's page sends with it
// is refused. Only a browser can tell which headers it sends.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeBatch } from '../../kong-plugin/contract/batch';
import { batchOf, deltaOf } from '../support/batches';
import { describeWith } from '../support/program';
import { RunningProgram } from '../support/running-program';
import { parseSamples, sumOf } from '../support/samples';
import { SidecarProcess } from '../support/sidecar-process';

describeWith('chromium', 'in a browser', (chromium) => {
  let sidecar: SidecarProcess;
  let profile: string;
  let site: Server;

  beforeEach(async () => {
    sidecar = await SidecarProcess.start();
    profile = mkdtempSync(join(tmpdir(), 'gatewatch-chromium-'));
    site = createServer();
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  });

  afterEach(async () => {
    await sidecar.remove();
    rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
    site.closeAllConnections();
    await new Promise((resolve) => site.close(resolve));
  });

  /** The page as the browser has it after its scripts. */
  async function load(url: string): Promise<string> {
    const browser = new RunningProgram(
      chromium,
      [
        ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage'],
        ...[
          '--no-first-run',
          '--disable-background-networking',
          '--disable-component-update',
          '--disable-sync',
        ],
        ...[`--user-data-dir=${profile}`, '--dump-dom', url],
      ],
      { HOME: profile },
    );
    expect(await browser.ended).toEqual({ code: 0, signal: null });
    return browser.output;
  }

  async function counted(name: string, labels: Record<string, string> = {}): Promise<number> {
    return sumOf(parseSamples(await (await fetch(`${sidecar.url}/metrics`)).text()), name, labels);
  }

  it('shows what an operator asks first, and the metrics, as plain text', async () => {
    const status = await load(`${sidecar.url}/`);
    expect(status).toMatch(/<pre[^>]*>Gatewatch sidecar [^]*\n {2}NOTHING HAS EVER REPORTED[^]*\nRULES/);
    expect(await load(`${sidecar.url}/metrics`)).toMatch(
      /<pre[^>]*>[^]*\n# TYPE gatewatch_build_info gauge\n/,
    );
  });

  it("counts nothing that another site's page sends, and lets it read nothing", async () => {
    const batch = encodeBatch(batchOf([deltaOf({}, [1])])).toString();
    // Of the kinds that a page may send to another site without asking first.
    site.on('request', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end(`<body><script>
        const ask = (method, path, body) => {
          const request = new XMLHttpRequest();
          request.open(method, ${JSON.stringify(sidecar.url)} + path, false);
          try { request.send(body); return 'read ' + request.responseText; } catch { return 'not read'; }
        };
        document.body.textContent = [
          ask('POST', '/v1/batches', ${JSON.stringify(batch)}), ask('POST', '/-/reload', ''), ask('GET', '/metrics'),
        ].join(', ');
      </script></body>`);
    });
    const page = await load(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
    expect(page).toContain('<body>not read, not read, not read</body>');
    expect(await counted('gatewatch_http_refused_requests_total', { reason: 'cross_site' })).toBe(2);
    expect(await counted('gatewatch_requests_total')).toBe(0);
    expect(await counted('gatewatch_batches_total')).toBe(0);
  });
});
