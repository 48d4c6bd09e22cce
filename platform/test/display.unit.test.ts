import { expect, it, jest } from '@jest/globals';
import { createDisplay } from '../display.ts';

it('Where no terminal redraws them, steps are told once and a download’s progress not at every megabyte', () => {
  const written: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  const display = createDisplay();
  try {
    display.plan([{ name: 'kafka', title: 'Kafka' }]);
    display.part('kafka', 'preparing');
    display.part('kafka', 'preparing', 'downloading 43 MB, once');
    for (let megabytes = 1; megabytes <= 43; megabytes += 1)
      display.part('kafka', 'preparing', `downloaded ${megabytes} MB of 43 MB, once`);
  } finally {
    display.finishTable();
    write.mockRestore();
  }
  expect(written.filter((line) => line.includes('download'))).toEqual([expect.stringContaining('downloading 43 MB')]);
});
