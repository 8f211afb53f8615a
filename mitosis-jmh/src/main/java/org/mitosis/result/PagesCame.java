// SPDX-License-Identifier: Apache-2.0
package org.mitosis.result;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;

/** Which way the pages of a benchmark over {@code transport=rdma} really came. */
public final class PagesCame {
  /** The metric of the share of a fork's pages that came by RDMA so far, in %. */
  public static final String BY_RDMA = "pages.rdma";

  /** The metric of a fork's requests so far that went to RDMA and were repeated over TCP. */
  public static final String FALLBACKS = "pages.fallbacks";

  private PagesCame() {}

  /** A line for each result that says it. */
  public static List<String> of(Collection<RunResult> results) {
    return results.stream()
        .filter(result -> result.getSecondaryResults().containsKey(FALLBACKS))
        .map(PagesCame::line)
        .toList();
  }

  private static String line(RunResult result) {
    BenchmarkParams params = result.getParams();
    String benchmark = params.getBenchmark();
    Result<?> share = result.getSecondaryResults().get(BY_RDMA);
    return String.format(
        Locale.ROOT,
        "%s: %s of the pages by RDMA, %.1f requests repeated over TCP",
        benchmark.substring(benchmark.lastIndexOf('.', benchmark.lastIndexOf('.') - 1) + 1)
            + params.getParamsKeys().stream()
                .map(key -> " " + key + "=" + params.getParam(key))
                .reduce("", String::concat),
        share == null ? "none" : String.format(Locale.ROOT, "%.1f %%", share.getScore()),
        result.getSecondaryResults().get(FALLBACKS).getScore());
  }
}
