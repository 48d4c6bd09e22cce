import type { PartName } from './part.ts';
import type { PartState, Report } from './report.ts';

interface Row {
  title: string;
  state: PartState;
  note: string;
  since: number;
  /** Seconds that the start took, once it is over. */
  took?: number;
}

export interface Display extends Report {
  /** Ends the redrawn table; from here on only what happens is printed. */
  finishTable: () => void;
}

const spinner = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏';
const marks: Record<PartState, string> = {
  waiting: '·',
  preparing: '',
  starting: '',
  ready: '✔',
  stopping: '',
  stopped: '–',
};

/** Shows how far the start is: on a terminal a table that is redrawn, else a line for each thing that happens. */
export function createDisplay(out: NodeJS.WriteStream = process.stdout): Display {
  const begin = Date.now();
  const seconds = (since = begin) => Math.round((Date.now() - since) / 1_000);
  const rows = new Map<PartName, Row>();
  let drawn = 0;
  let table = out.isTTY === true;
  let frame = 0;

  const erase = () => {
    if (drawn > 0) out.write(`\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };
  const draw = () => {
    if (!table) return;
    erase();
    frame += 1;
    const width = out.columns || 80;
    const lines = [...rows.values()].map((row) => {
      const mark = marks[row.state] || spinner[frame % spinner.length];
      const time = row.state === 'waiting' || row.state === 'stopped' ? '' : `${row.took ?? seconds(row.since)} s`;
      return ` ${mark} ${row.title.padEnd(20)} ${row.state.padEnd(10)} ${time.padStart(5)}  ${row.note}`.slice(
        0,
        width - 1,
      );
    });
    out.write(`${lines.join('\n')}\n`);
    drawn = lines.length;
  };
  const print = (text: string) => {
    erase();
    out.write(`${text}\n`);
    draw();
  };
  const line = (text: string) => print(`[${String(seconds()).padStart(3)} s] ${text}`);

  const timer = setInterval(table ? draw : heartbeat, table ? 150 : 10_000);
  timer.unref();

  function heartbeat(): void {
    const busy = [...rows.values()].filter(({ state }) => state === 'starting' || state === 'preparing');
    if (busy.length > 0) line(`… ${busy.map((row) => `${row.title}${row.note ? ` (${row.note})` : ''}`).join(', ')}`);
  }

  function changed(row: Row): void {
    const done = [...rows.values()].filter(({ state }) => state === 'ready').length;
    if (row.state === 'ready') line(`${done}/${rows.size} ${row.title} ready (${row.took} s)`);
    if (row.state === 'stopped') line(`${row.title} stopped`);
  }

  return {
    plan: (parts) => {
      for (const { name, title } of parts) rows.set(name, { title, state: 'waiting', note: '', since: begin });
    },
    part: (name, state, note = '') => {
      const before = rows.get(name);
      const busy = before?.state === 'preparing' || before?.state === 'starting';
      const since = busy && state !== 'stopping' ? before.since : Date.now();
      const row: Row = { title: rows.get(name)?.title ?? name, state, note, since };
      if (state === 'ready') row.took = seconds(since);
      rows.set(name, row);
      if (table) return;
      if (before?.state !== state) changed(row);
      else if (note && !/^downloaded \d/.test(note)) line(`${row.title}: ${note}`);
    },
    died: (name, how, lastLines, restartInSeconds) => {
      const title = rows.get(name)?.title ?? name;
      const then = restartInSeconds === undefined ? '' : `; starting it again in ${restartInSeconds} s`;
      line([`${title} ended (${how})${then}. Its last lines:`, ...lastLines.map((text) => `    ${text}`)].join('\n'));
    },
    note: line,
    finishTable: () => {
      draw();
      drawn = 0;
      table = false;
      clearInterval(timer);
    },
  };
}
