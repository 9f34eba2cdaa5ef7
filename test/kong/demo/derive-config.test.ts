import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import {
  ConfigFault,
  deriveKongConfig,
  derivePrometheusConfig,
  mapAddresses,
  reportToSpotlight,
} from '../../../kong/demo/derive-config';
import { UPSTREAM_NAMES } from '../../../kong/demo/upstreams';

const project = join(__dirname, '..', '..', '..');
const kongFile = join(project, 'kong', 'kong.yml');
const kongText = readFileSync(kongFile, 'utf8');
const prometheusFile = join(project, 'prometheus', 'prometheus.yml');
const prometheusText = readFileSync(prometheusFile, 'utf8');
const addresses = mapAddresses({ statusPort: 18101, sidecarPort: 19765, upstreamBasePort: 21001 });

interface KongConfig {
  services: { name: string; url?: string }[];
  upstreams: { targets: { target: string }[] }[];
  plugins: { name: string; config: Record<string, unknown> }[];
}

describe('the derived kong.yml', () => {
  const derived = deriveKongConfig(kongText, kongFile, addresses, '/run/spool');

  it('reaches each demo service at its own port of this machine', () => {
    const { services, upstreams } = parse(derived) as KongConfig;
    for (const [index, name] of UPSTREAM_NAMES.entries()) {
      if (name === 'pooled') continue;
      expect(services.find((service) => service.name === name)?.url).toBe(
        `http://127.0.0.1:${21001 + index}`,
      );
    }
    const targets = upstreams.flatMap((upstream) => upstream.targets.map(({ target }) => target));
    expect(targets).toEqual(['127.0.0.1:21006', '127.0.0.1:21004']);
  });

  it('sends the observations to the sidecar of this machine and leaves the secret a reference', () => {
    const { plugins } = parse(derived) as KongConfig;
    expect(plugins.find(({ name }) => name === 'gatewatch')?.config).toMatchObject({
      sidecar_url: 'http://127.0.0.1:19765',
      sidecar_token: '{vault://env/gatewatch-token}',
    });
  });

  it('differs from what was written in nothing but addresses and the folder of the spool', () => {
    const back = derived
      .replaceAll('127.0.0.1:19765', 'sidecar:9765')
      .replaceAll('/run/spool', '/var/lib/gatewatch/spool')
      .replace(/127\.0\.0\.1:2100(\d)/g, 'demo-upstreams:910$1');
    expect(parse(back)).toEqual(parse(kongText));
    expect(derived).toContain('# Nothing listens there');
  });
});

describe('a kong.yml that reports to Spotlight', () => {
  function configOf(text: string): Record<string, unknown> {
    const { plugins } = parse(text) as KongConfig;
    return plugins.find(({ name }) => name === 'gatewatch')?.config ?? {};
  }

  it('traces every request, and differs in nothing else', () => {
    const { sentry, ...others } = configOf(kongText);
    expect(configOf(reportToSpotlight(kongText, kongFile))).toEqual({
      ...others,
      sentry: { ...(sentry as object), environment: 'development', spotlight: true },
    });
  });

  it.each(['{}', '{ sentry: }', '{ sentry: { environment: production, spotlight: false } }'])(
    'does so where the plugin has the configuration %s',
    (config) => {
      const text = `plugins: [{ name: prometheus }, { name: gatewatch, config: ${config} }]`;
      expect(configOf(reportToSpotlight(text, 'kong.yml'))).toEqual({
        sentry: { environment: 'development', spotlight: true },
      });
    },
  );

  it('finds the plugin of a single service as well, and no other', () => {
    const text = 'services: [{ name: gatewatch, plugins: [{ name: gatewatch }, { name: prometheus }] }]';
    expect(parse(reportToSpotlight(text, 'kong.yml'))).toEqual({
      services: [
        {
          name: 'gatewatch',
          plugins: [
            { name: 'gatewatch', config: { sentry: { environment: 'development', spotlight: true } } },
            { name: 'prometheus' },
          ],
        },
      ],
    });
  });
});

describe('the derived prometheus.yml', () => {
  interface PrometheusConfig {
    alerting?: unknown;
    rule_files?: string[];
    scrape_configs: { job_name: string; scrape_interval?: string; static_configs: { targets: string[] }[] }[];
  }

  it('scrapes both programs of this machine and keeps their intervals', () => {
    const { scrape_configs } = parse(
      derivePrometheusConfig(prometheusText, prometheusFile, addresses),
    ) as PrometheusConfig;
    const jobs = Object.fromEntries(scrape_configs.map((job) => [job.job_name, job]));
    expect(jobs.kong).toMatchObject({
      scrape_interval: '10s',
      static_configs: [{ targets: ['127.0.0.1:18101'] }],
    });
    expect(jobs.gatewatch).toMatchObject({ static_configs: [{ targets: ['127.0.0.1:19765'] }] });
  });

  it('names no Alertmanager, since none is started', () => {
    const derived = parse(
      derivePrometheusConfig(prometheusText, prometheusFile, addresses),
    ) as PrometheusConfig;
    expect((parse(prometheusText) as PrometheusConfig).alerting).toBeDefined();
    expect(derived.alerting).toBeUndefined();
  });

  it('finds the rule files where they were', () => {
    const text = 'rule_files: [rules/*.yml, /etc/other.yml]\nscrape_configs: []\n';
    const { rule_files } = parse(
      derivePrometheusConfig(text, '/srv/gate/prometheus.yml', addresses),
    ) as PrometheusConfig;
    expect(rule_files).toEqual(['/srv/gate/rules/*.yml', '/etc/other.yml']);
  });
});

describe('a configuration that cannot be derived', () => {
  it('is refused with file, line and column where it is not YAML', () => {
    const derive = (): string =>
      deriveKongConfig('services:\n  - name: "fast\n', 'kong.yml', addresses, '/run/spool');
    expect(derive).toThrow(ConfigFault);
    expect(derive).toThrow(/^kong\.yml:\d+:\d+: not valid YAML: /);
  });

  it('is refused where it names a port of a demo host that nothing stands for', () => {
    const derive = (): string =>
      deriveKongConfig(
        'services:\n  - url: http://demo-upstreams:9200\n',
        'kong.yml',
        addresses,
        '/run/spool',
      );
    expect(derive).toThrow(/^kong\.yml:2:10: expected demo-upstreams:9101, .* found demo-upstreams:9200/);
  });

  it('is refused where it is empty', () => {
    expect(() => deriveKongConfig('# nothing\n', 'kong.yml', addresses, '/run/spool')).toThrow(
      'kong.yml: expected a configuration, found an empty file',
    );
  });
});
