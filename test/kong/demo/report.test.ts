import { parseOptions } from '../../../kong/demo/options';
import {
  chooseStyle,
  pickHistogramLines,
  renderFailure,
  renderReady,
  renderStopping,
  type RunFacts,
} from '../../../kong/demo/report';

function factsOf(withPrometheus: boolean, ...args: string[]): RunFacts {
  const parsed = parseOptions(args);
  if (parsed.kind !== 'run') throw new Error('the flags of this test are wrong');
  return { options: parsed.options, withPrometheus };
}

const plain = chooseStyle(false);

describe('what the terminal shows', () => {
  it('names every address by the ports that were chosen', () => {
    const text = renderReady(
      factsOf(true, '--proxy-port', '18000', '--prometheus-port', '19090'),
      4.21,
      plain,
    );
    expect(text).toContain('Ready after 4.2 s');
    expect(text).toContain('curl -i http://127.0.0.1:18000/slow');
    expect(text).toContain('http://127.0.0.1:9765/metrics');
    expect(text).toContain('http://127.0.0.1:19090/');
    expect(text).not.toContain('\u001b');
  });

  it('says what is not there', () => {
    const text = renderReady(factsOf(false, '--no-traffic'), 1, plain);
    expect(text).toMatch(/prometheus +not started +no program `prometheus` on the PATH/);
    expect(text).toMatch(/traffic +none/);
    expect(text).not.toContain(':9090');
  });

  it('says where errors and traces are shown with --spotlight, and nothing of Sentry without it', () => {
    const shown = factsOf(false, '--spotlight', '--spotlight-port', '18969');
    expect(renderReady(shown, 1, plain)).toContain('http://localhost:18969/');
    expect(renderStopping(shown)).toContain('sidecar, spotlight, upstreams.');
    const quiet = factsOf(false);
    expect(`${renderReady(quiet, 1, plain)}${renderStopping(quiet)}`).not.toMatch(/sentry|spotlight/i);
  });

  it('is emphasised on a terminal only', () => {
    expect(chooseStyle(true).bold('Try')).toBe('\u001b[1mTry\u001b[22m');
    expect(plain.bold('Try')).toBe('Try');
  });

  it('lists what is stopped in the order of stopping', () => {
    expect(renderStopping(factsOf(true))).toContain('traffic, gateway, sidecar, prometheus, upstreams.');
    expect(renderStopping(factsOf(false, '--no-traffic'))).toContain(': gateway, sidecar, upstreams.');
  });

  it('gives the last lines of a program that failed', () => {
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);
    const text = renderFailure(
      'The sidecar ended with exit code 2; the demo cannot go on.',
      'sidecar',
      lines,
    );
    expect(text).toContain('exit code 2');
    expect(text).toContain('  sidecar | line 20');
    expect(text).not.toContain('line 8\n');
    expect(renderFailure('x', 'sidecar', [])).toContain('It wrote nothing.');
  });
});

describe('the first histogram lines', () => {
  const series = (name: string, labels: string, value: string): string =>
    `external_request_duration_seconds_${name}{${labels}} ${value}`;

  it('are some buckets and counts of the family, and nothing of another', () => {
    const metrics = [
      '# TYPE external_request_duration_seconds histogram',
      ...['0.05', '0.1', '0.25', '0.5', '+Inf'].map((le) =>
        series('bucket', `service="fast",le="${le}"`, '3'),
      ),
      series('sum', 'service="fast"', '0.01'),
      series('count', 'service="fast"', '3'),
      series('count', 'service="slow"', '1'),
      'gatewatch_requests_total{service="fast"} 3',
      '',
    ].join('\n');
    expect(pickHistogramLines(metrics)).toEqual([
      series('bucket', 'service="fast",le="0.05"', '3'),
      series('bucket', 'service="fast",le="0.1"', '3'),
      series('bucket', 'service="fast",le="0.25"', '3'),
      series('count', 'service="fast"', '3'),
      series('count', 'service="slow"', '1'),
    ]);
  });

  it('are none before the first observation', () => {
    expect(
      pickHistogramLines('# TYPE external_request_duration_seconds histogram\ngatewatch_up 1\n'),
    ).toEqual([]);
  });
});
