// A small catalog of parts for tests.
#pragma once

#include "scenario/catalog.h"

namespace luf::testing {

inline constexpr const char* kParts = R"({"parts":[
 {"name":"churn","kind":"workload","summary":"s","params":[
   {"name":"amount","type":"size","default":4096,"min":4096,"max":1048576},
   {"name":"period","type":"duration","default":1000000,"min":0,"max":60000000000}]},
 {"name":"reclaim","kind":"injector","summary":"s","params":[
   {"name":"via","type":"choice","default":"memcg","choices":["memcg","pageout"]}]},
 {"name":"foreign_content","kind":"detector","rules":["R8"],"summary":"s","params":[
   {"name":"pages","type":"count","default":48,"min":1,"max":4096}]},
 {"name":"write_under","kind":"detector","rules":["R3","R8"],"summary":"s","params":[]}]})";

inline scenario::Catalog test_catalog() { return *scenario::parse_catalog(kParts, "test"); }

}  // namespace luf::testing
