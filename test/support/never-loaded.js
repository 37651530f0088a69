/** Stands for a module that no test uses: loading it says nothing, asking it for something is a mistake of the test. */
module.exports = new Proxy(
  {},
  {
    get(_, key) {
      // What the importer's own helper asks, and all that it asks.
      if (key === '__esModule') return true;
      throw new TypeError(`${String(key)}: this module is left out of the tests; see jest.config.js`);
    },
  },
);
