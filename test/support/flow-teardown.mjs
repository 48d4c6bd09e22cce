export { stopSystem as default } from './whole-system.mjs';
