/** Streams: downloads, uploads and server-sent events, served by every contender that streams. */
import type { Contender, RunningContender } from '../lib/contender.ts';
import type { LoadResult } from '../lib/load.ts';
import { cpuOf, interleave, ratio, ratioTarget, type Sample, summarise } from '../lib/measure.ts';
import { bareStreams, expressStreams, moleculerStreams } from '../lib/peers.ts';
import { type Context, type Report, type Scenario, splitOf, type Target } from '../lib/scenario.ts';
import { download, EventReaders, firstEvents, uploadFiles } from '../lib/stream-load.ts';
import { embeddedStreams, separateStreams } from '../lib/zeromq-gateway.ts';

const READERS = 1000;
/** Time between two events of a stream, in ms. */
const INTERVAL = 100;

type Apply = (running: RunningContender, seconds: number) => Promise<LoadResult>;

/** A comparison of contenders that stream the same. */
interface StreamComparison {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly contenders: readonly Contender[];
  /** What one unit of work is, in the title of a column. */
  readonly unit: string;
  /** The value that is compared, and its name. */
  readonly pick: (sample: Sample) => number;
  readonly metric: string;
  readonly drawn: string;
  readonly bound: Target['bound'];
  readonly targets: readonly {
    readonly contender: Contender;
    readonly against: Contender;
    readonly want: number;
  }[];
  /** Calls `use` with what applies the load. */
  load(
    use: (apply: Apply) => Promise<ReadonlyMap<string, readonly Sample[]>>,
  ): Promise<ReadonlyMap<string, readonly Sample[]>>;
}

async function compare(comparison: StreamComparison, context: Context): Promise<Report> {
  const { contenders, pick, targets, name, title, about, unit, metric } = comparison;
  const present = contenders.filter((each) => each.missing?.() === undefined);
  const samples = await comparison.load((apply) =>
    interleave(
      present,
      {
        apply: async (each, seconds) => {
          const result = await apply(each, seconds);
          const rate = result.requests / result.seconds;
          context.log(
            `${each.contender.name}: ${rate.toFixed(1)} ${unit}/s, p50 ${result.p50.toFixed(2)} ms`,
          );
          return result;
        },
      },
      context.effort,
    ),
  );
  return {
    name,
    title,
    about,
    columns: [
      { key: 'perSecond', title: `${unit}/s` },
      { key: 'ratio', title: `${metric} × ${expressStreams.name}`, digits: 2 },
      { key: 'cpu', title: `CPU µs per ${unit}` },
      { key: 'p50', title: 'p50 ms', digits: 2 },
      { key: 'memory', title: 'Memory MiB' },
      { key: 'errors', title: 'Errors' },
    ],
    rows: present.map((contender) => {
      const summary = summarise(contender.name, samples.get(contender.name) ?? []);
      const { perSecond, cpuTotal, p50, rss, errors } = summary;
      return {
        label: contender.name,
        values: {
          perSecond,
          ratio: ratio(samples, contender.name, expressStreams.name, pick),
          cpu: cpuTotal,
          p50,
          memory: rss / 2 ** 20,
          errors,
        },
        split: splitOf(summary.cpu),
        does: contender.does,
        highlighted: contender === embeddedStreams || contender === separateStreams,
      };
    }),
    targets: targets
      .filter(({ contender, against }) => samples.has(contender.name) && samples.has(against.name))
      .map(({ contender, against, want }) => ({
        key: `${name}: ${contender.name} / ${against.name}`,
        what: `${title}, ${contender.name}`,
        against: against.name,
        bound: comparison.bound,
        want,
        ...ratioTarget(samples, { name: contender.name, reference: against.name, pick }),
      })),
    drawn: comparison.drawn,
    skipped: contenders.flatMap((each) => {
      const why = each.missing?.();
      return why === undefined ? [] : [`${each.name} (${why})`];
    }),
  };
}

const perSecond = (sample: Sample): number => sample.perSecond;

const downloads: StreamComparison = {
  name: 'stream-download',
  title: 'Downloads of 1 GiB',
  about: 'curl downloads 1 GiB as one stream of chunks of 64 KiB, again and again.',
  contenders: [embeddedStreams, separateStreams, expressStreams, bareStreams, moleculerStreams],
  unit: 'MiB',
  pick: perSecond,
  metric: 'MiB/s',
  drawn: 'perSecond',
  bound: 'at least',
  targets: [
    { contender: embeddedStreams, against: expressStreams, want: 0.6 },
    { contender: separateStreams, against: expressStreams, want: 0.4 },
    { contender: separateStreams, against: moleculerStreams, want: 1.5 },
  ],
  load: (use) => use(({ at }, seconds) => download(at, seconds)),
};

const uploads: StreamComparison = {
  ...downloads,
  name: 'stream-upload',
  title: 'Uploads of 1 GiB',
  about: 'curl uploads 1 GiB, again and again; the handler counts the bytes and discards them.',
  contenders: [embeddedStreams, separateStreams, expressStreams],
  targets: [{ contender: separateStreams, against: expressStreams, want: 0.4 }],
  load: (use) => use(({ at }, seconds) => uploadFiles(at, seconds)),
};

const events: StreamComparison = {
  ...uploads,
  name: 'stream-events',
  title: `${READERS} streams of server-sent events`,
  about: `${READERS} readers, each of which receives an event every ${INTERVAL} ms. The CPU time per event is compared.`,
  unit: 'event',
  pick: cpuOf,
  metric: 'CPU',
  drawn: 'cpu',
  bound: 'at most',
  targets: [
    { contender: separateStreams, against: expressStreams, want: 2.5 },
    { contender: embeddedStreams, against: expressStreams, want: 1.5 },
  ],
  async load(use) {
    const readers = new Map<RunningContender, EventReaders>();
    try {
      return await use(async (running, seconds) => {
        for (const [other, each] of readers) {
          if (other !== running) each.close();
        }
        const own = new EventReaders();
        readers.clear();
        readers.set(running, own);
        await own.connect(running.at, `/ticks/${INTERVAL}`, READERS);
        return own.count(seconds);
      });
    } finally {
      for (const each of readers.values()) each.close();
    }
  },
};

const firstEvent: StreamComparison = {
  ...uploads,
  name: 'stream-first-event',
  title: 'Time to the first event',
  about:
    'One request after the other, each on a connection of its own, until its first server-sent event arrives.',
  unit: 'event',
  pick: (sample) => sample.p50,
  metric: 'p50',
  drawn: 'p50',
  bound: 'at most',
  targets: [{ contender: embeddedStreams, against: expressStreams, want: 2 }],
  load: (use) => use(({ at }, seconds) => firstEvents(at, `/ticks/${INTERVAL}`, seconds)),
};

/** The scenarios of streams. */
export const streamScenarios: readonly Scenario[] = [downloads, uploads, events, firstEvent].map(
  (comparison) => ({
    name: comparison.name,
    title: comparison.title,
    run: (context) => compare(comparison, context),
  }),
);
