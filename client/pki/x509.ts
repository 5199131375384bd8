// The library's container needs the reflection metadata to exist before it loads; nobody else imports it.
import 'reflect-metadata';

export * from '@peculiar/x509';
