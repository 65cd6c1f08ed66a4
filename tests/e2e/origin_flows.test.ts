// The flows against the programs themselves: the page learns the edge's address from the site.
import { defineOriginFlows } from './support/flows.js';

defineOriginFlows('direct', {});
