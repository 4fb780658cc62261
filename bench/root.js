// Where the package is: the folder that holds bench/, web/ and dist/.

import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
