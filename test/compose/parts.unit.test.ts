import { describe, expect, test } from '@jest/globals';
import { partNames } from '@ticket-saga/platform/part';
import { versions } from '@ticket-saga/platform/versions';
import { compose, container } from './compose.ts';
import { platformContext, platformParts } from './parts.ts';

const parts = platformParts(platformContext());
const containers = Object.entries(compose.services);
const lasting = containers.filter(([name]) => name !== 'migrate');

describe('the containers and the parts of npm start', () => {
  test('every part is a container, and only Kafka UI comes on top', () => {
    expect(containers.map(([name]) => name).toSorted()).toEqual([...partNames, 'kafka-ui'].toSorted());
    expect(parts.map(({ name }) => name).toSorted()).toEqual([...partNames].toSorted());
  });

  test.each([
    ['postgres', `postgres:${versions.postgres}`],
    ['kafka', `apache/kafka:${versions.kafka}`],
    ['opensearch', `opensearchproject/opensearch:${versions.opensearch}`],
    ['camunda', `camunda/zeebe:${versions.camunda}`],
    ['operate', `camunda/operate:${versions.camunda}`],
  ])('%s has the version of platform/versions.ts', (name, image) => {
    expect(container(name).image).toBe(image);
  });

  test.each(containers)('the image of %s is built here or has a fixed version', (_name, { image, build }) => {
    if (build)
      expect({ image, build }).toEqual({
        image: 'ticket-saga',
        build: { context: '.', dockerfile: 'deploy/Dockerfile' },
      });
    else expect(image).toMatch(/:v?\d[\w.-]*$/);
  });

  test.each(parts.map((part) => [part.name, part] as const))(
    '%s waits for the same parts as in npm start',
    (name, part) => {
      const { depends_on } = container(name);
      for (const need of part.needs) {
        expect([need, depends_on[need]?.condition]).toEqual([
          need,
          need === 'migrate' ? 'service_completed_successfully' : 'service_healthy',
        ]);
      }
      const uses = part.uses ?? [];
      for (const other of Object.keys(depends_on)) expect([...part.needs, ...uses]).toContain(other);
    },
  );

  test.each(lasting)('%s is watched, and started again when it dies', (_name, { healthcheck, restart }) => {
    expect(healthcheck?.test[0]).toBe('CMD');
    expect(restart).toBe('unless-stopped');
  });

  test('the migration runs once', () => {
    const { restart, healthcheck, command } = container('migrate');
    expect({ restart, healthcheck, command }).toEqual({ restart: 'no', command: ['prisma/dist/migrate-main.js'] });
  });

  test('what must survive is in a named volume', () => {
    const mounts = containers.flatMap(([name, { volumes }]) => volumes.map((volume) => [name, volume]));
    expect(Object.fromEntries(mounts)).toEqual({
      postgres: 'postgres:/var/lib/postgresql',
      kafka: 'kafka:/var/lib/kafka/data',
      opensearch: 'opensearch:/usr/share/opensearch/data',
      camunda: 'camunda:/usr/local/zeebe/data',
    });
    expect(Object.keys(compose.volumes).toSorted()).toEqual(mounts.map(([name]) => name).toSorted());
  });
});
