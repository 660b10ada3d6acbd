import { nodeHosts } from './hosts.mjs';
import { scenarios } from './scenarios.mjs';

for (const host of nodeHosts()) scenarios(host);
