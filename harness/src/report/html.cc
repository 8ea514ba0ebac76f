#include "report/html.h"

#include <fmt/format.h>

namespace luf::report::html {
namespace {

/// Bad news is told by a word and a sign, too, not by colour alone.
constexpr const char* kStyle = R"(
:root{color-scheme:light dark;--fg:#1b1f24;--soft:#57606a;--bg:#fff;--card:#f6f8fa;--line:#d0d7de;--good:#dafbe1;
--bad:#ffd8d3;--odd:#fff3c4;--bar:#3572b0;--other:#b35c1e;--mark:#cf222e}
@media (prefers-color-scheme:dark){:root{--fg:#e6edf3;--soft:#9aa5b1;--bg:#0f1318;--card:#181e25;--line:#39424d;
--good:#12371f;--bad:#5a1d1a;--odd:#4a3a06;--bar:#69a5e0;--other:#e09a5b;--mark:#ff7b72}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:75rem;padding:1rem;font:1rem/1.45 system-ui,sans-serif;color:var(--fg);background:var(--bg)}
h1{font-size:1.5rem;margin:.3em 0}h2{font-size:1.15rem;margin:1.8em 0 .4em}h3{font-size:1rem;margin:1.2em 0 .3em}
p{margin:.4em 0;max-width:60rem}.soft{color:var(--soft)}
.wide{overflow-x:auto;margin:.5em 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}
td,th{border:1px solid var(--line);padding:.25em .55em;text-align:left;vertical-align:top}
th{background:var(--card);font-weight:600}td.n{text-align:right}
td.good{background:var(--good)}td.bad{background:var(--bad)}td.odd{background:var(--odd)}
pre,code{font:.85rem/1.4 ui-monospace,monospace}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);border:1px solid var(--line);padding:.5em;margin:.4em 0}
details{border:1px solid var(--line);padding:.4em .7em;margin:.5em 0}summary{cursor:pointer;overflow-wrap:anywhere}
.facts{display:flex;flex-wrap:wrap;gap:.5rem;margin:.8em 0;padding:0;list-style:none}
.facts li{background:var(--card);border:1px solid var(--line);padding:.35em .8em}
.facts b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}
svg{display:block;max-width:100%;height:auto}svg text{fill:var(--fg);font:11px system-ui,sans-serif}
.a{fill:var(--bar)}.b{fill:var(--other)}.mark{fill:var(--mark);stroke:var(--bg);stroke-width:1.5}.axis{stroke:var(--line)}
@media print{body{max-width:none;padding:0;font-size:9pt}.wide{overflow:visible}td,th,pre,details{break-inside:avoid}
h2,h3{break-after:avoid}details>*{display:block}details::details-content{content-visibility:visible}}
)";

}  // namespace

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

std::string table(const std::vector<Row>& rows) {
  std::string text = "<div class=\"wide\"><table>\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text += "<tr>";
    for (const std::string& cell : rows[i])
      text += fmt::format("<{0}>{1}</{0}>", i == 0 ? "th" : "td", escaped(cell));
    text += "</tr>\n";
  }
  return text + "</table></div>\n";
}

std::string page(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<link rel=\"icon\" "
      "href=\"data:,\">\n<title>{}</title>\n<style>{}</style></head>\n<body>\n{}</body></html>\n",
      escaped(title), kStyle, body);
}

}  // namespace luf::report::html
