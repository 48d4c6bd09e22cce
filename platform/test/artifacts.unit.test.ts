import { expect, test } from '@jest/globals';
import { artifacts, pomFor } from '../artifacts.ts';
import { downloadProgress } from '../maven.ts';
import { versions } from '../versions.ts';

test("the progress of the distribution's download is told apart from Maven's own small ones", () => {
  const output = 'Progress (2): 1.0/6.7 MB | 12/299 MB\rProgress (1): 74/299 MB\rProgress (1): 5/6 MB\r';
  expect(downloadProgress(output, 299)).toBe('74 MB');
  expect(downloadProgress('Progress (1): 1.0/6.7 MB', 299)).toBeUndefined();
});

test('another version is another directory in the cache', () => {
  expect(artifacts.camunda.directory).toContain(versions.camunda);
  expect(artifacts.kafka.directory).toContain(versions.kafka);
  expect(artifacts.opensearch.directory).toContain(versions.opensearchRunner);
});

test('the OpenSearch runner is the one of the OpenSearch version', () => {
  expect(versions.opensearchRunner.startsWith(`${versions.opensearch}.`)).toBe(true);
});

test('Maven is asked for exactly the given dependencies', () => {
  expect(pomFor(['g:a:1', 'h:b:2'])).toContain(
    '<dependency><groupId>h</groupId><artifactId>b</artifactId><version>2</version></dependency>',
  );
});
