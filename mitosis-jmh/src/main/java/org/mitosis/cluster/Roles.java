// SPDX-License-Identifier: Apache-2.0
package org.mitosis.cluster;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.mitosis.fixture.FanOut;
import org.mitosis.setting.MissingPrerequisite;

/**
 * The roles of the machines.
 *
 * @param parent the parent machine; its machine id is 0
 * @param children the child machines; their ids follow, in this order
 */
record Roles(String parent, List<String> children) {
  /** The roles in the config. */
  static Roles of(ClusterConfig config) {
    if (config.parentHost().isEmpty()) {
      throw new MissingPrerequisite("PARENT_HOST is missing: name the parent machine");
    }
    return new Roles(config.parentHost(), config.childHosts());
  }

  /**
   * The roles in the config; if it has none, the allocation's first machine is the parent machine.
   */
  static Roles of(ClusterConfig config, Slurm allocation) {
    if (!config.parentHost().isEmpty()) {
      Roles named = of(config);
      for (String host : named.all()) {
        if (!allocation.hosts().contains(host)) {
          throw new MissingPrerequisite(
              host
                  + " is not in the allocation "
                  + allocation.jobId()
                  + ", which has "
                  + String.join(", ", allocation.hosts())
                  + ": leave PARENT_HOST and CHILD_HOSTS empty to use these");
        }
      }
      return named;
    }
    List<String> hosts = allocation.hosts();
    return new Roles(hosts.get(0), hosts.subList(1, hosts.size()));
  }

  /** Every machine once, the parent first. */
  List<String> all() {
    Set<String> all = new LinkedHashSet<>(List.of(parent));
    all.addAll(children);
    return List.copyOf(all);
  }

  /**
   * The machines that take part in a target.
   *
   * @throws MissingPrerequisite if it needs child machines and there are none
   */
  List<String> takingPart(Target target) {
    if (target.needsChildren() && children.isEmpty()) {
      throw new MissingPrerequisite(
          target + " needs child machines: name them in CHILD_HOSTS, with commas between");
    }
    return target.usesChildren() ? all() : List.of(parent);
  }

  /** Where children run: on the child machines, or on the parent's if there are none. */
  List<String> runningChildren() {
    return children.isEmpty() ? List.of(parent) : children;
  }

  /** The machine that a child machine gets the parent's pages from; empty for any other. */
  Optional<String> source(String host, FanOut fanOut) {
    int index = children.indexOf(host);
    if (index < 0) {
      return Optional.empty();
    }
    int source = fanOut.source(index);
    return Optional.of(source == FanOut.PARENT ? parent : children.get(source));
  }

  /** The machine id of a machine. */
  int idOf(String host) {
    List<String> all = new ArrayList<>(all());
    return all.indexOf(host);
  }
}
