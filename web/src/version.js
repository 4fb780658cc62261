// The version of the package, where package.json can't be read; a test holds the two together.

export const VERSION = '0.1.0';
