// Draws each diagram of this folder to docs/ as SVG, with the library that Camunda Modeler and Operate draw with;
// `--png <folder>` adds pictures to look at. Fails on a diagram that does not import without a warning.
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const root = new URL('../', import.meta.url);
const path = (relative) => fileURLToPath(new URL(relative, root));
const pngFolder = parseArgs({ options: { png: { type: 'string' } } }).values.png;

/** White with a margin: bpmn-js crops to the shapes and paints no background, which dark pages swallow. */
function framed(svg) {
  const margin = 20;
  const [x, y, width, height] = /viewBox="([^"]+)"/.exec(svg)[1].split(' ').map(Number);
  const frame = { x: x - margin, y: y - margin, width: width + 2 * margin, height: height + 2 * margin };
  const box = Object.entries(frame).map(([name, value]) => `${name}="${value}"`);
  const size = `width="${frame.width}" height="${frame.height}" viewBox="${Object.values(frame).join(' ')}"`;
  return svg
    .replace(/ width="[^"]+" height="[^"]+" viewBox="[^"]+"/, ` ${size}`)
    .replace(/(<svg[^>]*>)/, `$1<rect ${box.join(' ')} fill="white"/>`);
}

/** The same picture for the same diagram: bpmn-js gives its arrow heads random names. */
function settled(svg) {
  const names = [...new Set(svg.match(/marker-[a-z0-9]{20,}/g))];
  return names.reduce((text, name, index) => text.replaceAll(name, `arrow-${index}`), svg);
}

/** Runs in the page: imports the diagram and hands out its picture. */
async function draw(xml) {
  const viewer = new globalThis.BpmnJS({ container: document.body });
  const { warnings } = await viewer.importXML(xml);
  const { svg } = await viewer.saveSVG();
  viewer.destroy();
  return { svg, warnings: warnings.map(({ message }) => message) };
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-sync'],
});
try {
  const page = await browser.newPage({ deviceScaleFactor: 2 });
  for (const file of (await readdir(path('bpmn'))).filter((name) => name.endsWith('.bpmn'))) {
    await page.setContent('<body style="margin:0;height:100vh">');
    await page.addScriptTag({ path: path('node_modules/bpmn-js/dist/bpmn-viewer.production.min.js') });
    const { svg, warnings } = await page.evaluate(draw, await readFile(path(`bpmn/${file}`), 'utf8'));
    if (warnings.length > 0) throw new Error(`${file} does not import cleanly: ${warnings.join('; ')}`);
    const name = file.replace(/\.bpmn$/, '');
    const picture = settled(framed(svg));
    await writeFile(path(`docs/${name}.svg`), picture);
    if (pngFolder) {
      await page.setContent(`<body style="margin:0;width:max-content">${picture.slice(picture.indexOf('<svg'))}`);
      await page
        .locator('svg')
        .first()
        .screenshot({ path: `${pngFolder}/${name}.png` });
    }
  }
} finally {
  await browser.close();
}
