import css from "@eslint/css";
import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import globals from "globals";

export default defineConfig([
  globalIgnores(["**/vendor/"]),
  {
    files: ["haleganada_client/web/static/**/*.js"],
    plugins: { js },
    extends: ["js/recommended"],
    languageOptions: { globals: { ...globals.browser, uPlot: "readonly" } },
    rules: {
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "no-shadow": "error",
      "no-unused-vars": ["error", { args: "after-used" }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-arrow-callback": "error",
      "prefer-const": "error",
      "prefer-template": "error",
    },
  },
  { files: ["haleganada_client/web/static/early.js"], languageOptions: { sourceType: "script" } },
  { files: ["*.js"], plugins: { js }, extends: ["js/recommended"] },
  {
    files: ["haleganada_client/web/static/styles/*.css"],
    plugins: { css },
    language: "css/css",
    extends: ["css/recommended"],
    rules: {
      "css/no-invalid-properties": ["error", { allowUnknownVariables: true }], // colors and fonts are in theme.css
      "css/use-baseline": [
        "error",
        { available: "newly", allowProperties: ["accent-color", "user-select"] }, // the page works without them
      ],
    },
  },
]);
