// Objects that work behind a Proxy (Vue, Pinia, Alpine, Valtio and others make one of whatever they hold).

/**
 * Binds the methods of a class to the object itself: what a Proxy passes as `this` has none of its private members.
 * @param {object} self
 * @param {object} prototype of the class
 */
export function bindMethods(self, prototype) {
  for (const name of Reflect.ownKeys(prototype)) {
    const method = Reflect.getOwnPropertyDescriptor(prototype, name)?.value;
    if (name === 'constructor' || typeof method !== 'function') continue;
    const value = Reflect.get(self, name).bind(self);
    Object.defineProperty(self, name, { value, configurable: true, writable: true });
  }
}
