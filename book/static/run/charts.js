// Vega in the worker, under the name and with the one function that smartos.plot knows (vl_convert): a specification
// goes in, SVG text comes out. Expressions are interpreted, not compiled, so no policy has to allow eval.
import { expressionInterpreter } from "vega-interpreter";
import * as vega from "vega";
import { compile } from "vega-lite";

function vegalite_to_svg(text, options) {
  const config = options?.config?.toJs ? options.config.toJs({ dict_converter: Object.fromEntries }) : options?.config;
  const spec = compile(JSON.parse(text), { config, logger: vega.logger(vega.Error) }).spec;
  const view = new vega.View(vega.parse(spec, null, { ast: true }), { expr: expressionInterpreter, renderer: "none" });
  view.run();
  const { width, height } = { width: view._viewWidth, height: view._viewHeight };
  const [x, y] = view._origin;
  return new vega.SVGStringRenderer().initialize(null, width, height, [x, y]).render(view.scenegraph().root).svg();
}

export default { vegalite_to_svg };
