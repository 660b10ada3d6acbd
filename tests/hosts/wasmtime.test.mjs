import { wasmtimeHosts } from './hosts.mjs';
import { scenarios } from './scenarios.mjs';

for (const host of wasmtimeHosts()) scenarios(host);
