// The whole way behind closed doors: the plugin server delivers over TLS with its token, and a real Prometheus scrapes with a
// client certificate and a password, from a web configuration that Prometheus' own tool finds right too.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { hashSync } from 'bcryptjs';
import { Authority } from '../support/certificates';
import { eventually } from '../support/eventually';
import { findFreePorts } from '../support/free-ports';
import { ask, basic } from '../support/http-answer';
import { describeWith } from '../support/program';
import { RunningProgram } from '../support/running-program';
import { parseSamples, sumOf } from '../support/samples';

const PROJECT = resolve(__dirname, '../..');
const DIST = join(PROJECT, 'dist');
const PLUGIN_SERVER = join(PROJECT, 'node_modules', 'kong-pdk', 'bin', 'kong-js-pluginserver');
const TOKEN = 'a-token-for-tests-only';

describeWith('promtool', 'the whole way behind closed doors', (promtool) => {
  describeWith('prometheus', 'with a real Prometheus', (prometheus) => {
    it('counts a request of the gateway, and Prometheus sees it', async () => {
      const directory = mkdtempSync(join(tmpdir(), 'gatewatch-web-'));
      const write = (name: string, text: string): string => {
        const file = join(directory, name);
        writeFileSync(file, text);
        return file;
      };
      const servers = new Authority('servers');
      const clients = new Authority('clients');
      const server = servers.issue('sidecar');
      const client = clients.issue('prometheus');
      write('server.crt', server.cert);
      write('server.key', server.key);
      write('clients.crt', clients.cert);
      const ca = write('servers.crt', servers.cert);
      const password = 'a password: with spaces and ümlauts';
      const web = write(
        'web.yml',
        [
          'tls_server_config:',
          '  cert_file: server.crt',
          '  key_file: server.key',
          '  client_auth_type: RequireAndVerifyClientCert',
          '  client_ca_file: clients.crt',
          '  min_version: TLS13',
          'basic_auth_users:',
          `  prometheus: "${hashSync(password, 10)}"`,
          '',
        ].join('\n'),
      );
      expect(spawnSync(promtool, ['check', 'web-config', web]).status).toBe(0);

      const port = await findFreePorts(3);
      const [proxyPort, prometheusPort] = [port + 1, port + 2];
      const started: RunningProgram[] = [];
      const start = (
        program: string,
        args: string[],
        environment: Record<string, string>,
      ): RunningProgram => {
        const running = new RunningProgram(program, args, environment);
        started.push(running);
        return running;
      };
      try {
        const configFile = write(
          'gatewatch.yml',
          `listen: 127.0.0.1:${port}\ntoken: ${TOKEN}\ndata_dir: ${directory}/data\nweb_config_file: web.yml\n`,
        );
        await start(process.execPath, [join(DIST, 'sidecar', 'main.js'), '--config', configFile], {}).says(
          /sidecar listens/,
        );

        const serve = `${process.execPath} ${PLUGIN_SERVER} --plugins-directory ${join(DIST, 'kong-plugin', 'plugins')}`;
        const kongFile = write(
          'kong.yml',
          [
            "_format_version: '3.0'",
            'services: [{ name: a, url: "http://127.0.0.1:1", retries: 0, routes: [{ name: a, paths: [/a] }] }]',
            `plugins: [{ name: gatewatch, config: { sidecar_url: "https://127.0.0.1:${port}", sidecar_token: ${TOKEN}, spool_dir: ${directory}/spool } }]`,
            '',
          ].join('\n'),
        );
        const gateway = start(process.execPath, [join(DIST, 'kong', 'embedded', 'main.js')], {
          KONG_DECLARATIVE_CONFIG: kongFile,
          KONG_PREFIX: join(directory, 'kong'),
          KONG_PROXY_LISTEN: `127.0.0.1:${proxyPort}`,
          KONG_PLUGINS: 'bundled,gatewatch',
          KONG_PLUGINSERVER_NAMES: 'js',
          KONG_PLUGINSERVER_JS_SOCKET: join(directory, 'js.sock'),
          KONG_PLUGINSERVER_JS_START_CMD: `env NODE_EXTRA_CA_CERTS=${ca} ${serve} -p ${directory} --sock-name js.sock`,
          KONG_PLUGINSERVER_JS_QUERY_CMD: `${serve} --dump-all-plugins`,
        });
        await gateway.says(/^ready:/m);
        expect((await fetch(`http://127.0.0.1:${proxyPort}/a`)).status).toBe(502);

        const scrapeFile = write(
          'prometheus.yml',
          [
            'global: { scrape_interval: 1s }',
            'scrape_configs:',
            '  - job_name: gatewatch',
            '    scheme: https',
            `    basic_auth: { username: prometheus, password: "${password}" }`,
            `    tls_config: { ca_file: ${ca}, cert_file: ${write('client.crt', client.cert)}, key_file: ${write('client.key', client.key)} }`,
            `    static_configs: [{ targets: ['127.0.0.1:${port}'] }]`,
            '',
          ].join('\n'),
        );
        start(
          prometheus,
          [
            `--config.file=${scrapeFile}`,
            `--storage.tsdb.path=${join(directory, 'prometheus')}`,
            `--web.listen-address=127.0.0.1:${prometheusPort}`,
          ],
          {},
        );
        await eventually(async () => {
          const query = `http://127.0.0.1:${prometheusPort}/api/v1/query?query=gatewatch_requests_total`;
          expect(await (await fetch(query)).text()).toMatch(/"service":"a".*"status":"502".*,"1"\]/);
        });
        // Nobody had to be refused on the way.
        const { body } = await ask(`https://127.0.0.1:${port}/metrics`, {
          ca: servers.cert,
          ...client,
          headers: { authorization: basic('prometheus', password) },
        });
        expect(sumOf(parseSamples(body), 'gatewatch_http_refused_requests_total')).toBe(0);
      } finally {
        for (const program of started.reverse()) await program.end();
        rmSync(directory, { recursive: true, force: true });
      }
    });
  });
});
