import { chromiumHosts } from './hosts.mjs';
import { scenarios } from './scenarios.mjs';

for (const host of chromiumHosts()) scenarios(host);
