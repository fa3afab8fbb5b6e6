export { default } from "regl-scatterplot";
