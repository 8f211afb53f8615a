// SPDX-License-Identifier: Apache-2.0
package org.mitosis.user;

import com.sun.jna.Callback;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * A JVM in the middle of its work, and checks by value of all that must go on in a child: what was
 * made before the snapshot is used, and new things of each kind are made.
 */
final class JvmChecks {
  private static final int ENTRIES = 20_000;
  private static final int DEADLINE_S = 60;
  private static final int VIRTUAL_THREADS = 1_000;

  private final Map<Integer, String> table = new ConcurrentHashMap<>();
  private final ExecutorService pool = Executors.newFixedThreadPool(4);
  private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
  private final SynchronousQueue<Integer> queue = new SynchronousQueue<>();
  private final Object monitor = new Object();
  private final CountDownLatch released = new CountDownLatch(1);
  private final AtomicInteger notified = new AtomicInteger();
  private final AtomicInteger virtualEnds = new AtomicInteger();
  private final ByteBuffer direct = ByteBuffer.allocateDirect(1 << 16);
  private final Deflater deflater = new Deflater();
  private final byte[] deflated = new byte[4096];
  private final int deflatedBefore;
  private final MappedByteBuffer mapped;
  private final Selector selector;
  private final ExecutorService virtual;
  private final long pid = ProcessHandle.current().pid();
  private final long sum;
  private volatile long ticks;
  private volatile boolean released2;

  /** Starts the threads, and warms the code up. The file must have at least a page. */
  JvmChecks(Path file) throws Exception {
    for (int i = 0; i < ENTRIES; i++) {
      table.put(i, "entry " + i);
    }
    direct.putLong(8_000, 0x1234_5678_9abc_def0L);
    deflater.setInput(bytes(0, 500));
    deflatedBefore = deflater.deflate(deflated, 0, deflated.length, Deflater.SYNC_FLUSH);
    if (!nativeCodeCallsBack()) {
      throw new IllegalStateException("qsort(3) does not sort");
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, Files.size(file));
    }
    selector = Selector.open();
    daemon("ticker", this::tick);
    daemon("giver", this::give);
    daemon("waiter", this::waitForMonitor);
    virtual = startVirtualThreads();
    sum = pool.submit(this::sum).get();
    for (int i = 0; i < 200; i++) {
      sum();
    }
  }

  private static void daemon(String name, Runnable run) {
    Thread thread = new Thread(run, name);
    thread.setDaemon(true);
    thread.start();
  }

  /** Runs them all; what is wrong, by check. */
  Map<String, String> run() {
    Map<String, Callable<Boolean>> checks = new LinkedHashMap<>();
    checks.put("pid", () -> ProcessHandle.current().pid() == pid);
    checks.put("table", () -> sum() == sum);
    checks.put("old executor", this::oldExecutor);
    checks.put("queue", () -> queue.poll(DEADLINE_S, TimeUnit.SECONDS) == 42);
    checks.put("monitor", this::monitorIsNotified);
    checks.put("sleeping thread", this::tickerGoesOn);
    checks.put("timer", () -> timer.schedule(() -> 5, 2, TimeUnit.MILLISECONDS).get() == 5);
    checks.put("park", JvmChecks::parks);
    checks.put("null pointers", JvmChecks::nullPointers);
    checks.put("stack overflow", JvmChecks::stackOverflow);
    checks.put("allocation", JvmChecks::allocates);
    checks.put("collection", this::collects);
    checks.put("new threads", JvmChecks::newThreads);
    checks.put("parallel stream", () -> IntStream.range(0, 10_000).parallel().sum() == 49_995_000);
    checks.put("sockets", JvmChecks::sockets);
    checks.put("old selector", () -> selectorWorks(selector));
    checks.put("new selector", () -> selectorWorks(Selector.open()));
    checks.put("new class", () -> Unseen.DOUBLED.get(21) == 42);
    checks.put("native memory", this::nativeMemoryIsKept);
    checks.put("native calls back", JvmChecks::nativeCodeCallsBack);
    checks.put("lambda and proxy", JvmChecks::proxies);
    checks.put("direct buffer", () -> direct.getLong(8_000) == 0x1234_5678_9abc_def0L);
    checks.put("mapped file", () -> mapped.get(0) == 'm' && mapped.get(mapped.limit() - 1) == 'z');
    checks.put("thread dump", JvmChecks::threadDump);
    checks.put("process", JvmChecks::startsProcess);
    checks.put("virtual threads", this::virtualThreadsEnd);
    Map<String, String> wrong = new LinkedHashMap<>();
    checks.forEach(
        (name, check) -> {
          try {
            if (!check.call()) {
              wrong.put(name, "another value");
            }
          } catch (Exception | LinkageError e) {
            wrong.put(name, e.toString());
          }
        });
    return wrong;
  }

  /** Ends the threads that keep a JVM alive. */
  void end() {
    released.countDown();
    pool.shutdown();
    timer.shutdown();
    if (virtual != null) {
      virtual.shutdown();
    }
  }

  private long sum() {
    long sum = 0;
    for (int i = 0; i < ENTRIES; i++) {
      sum += table.get(i).hashCode();
    }
    return sum;
  }

  private void tick() {
    try {
      while (true) {
        Thread.sleep(1);
        ticks++;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void give() {
    try {
      while (true) {
        queue.put(42);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void waitForMonitor() {
    synchronized (monitor) {
      while (!released2) {
        try {
          monitor.wait();
        } catch (InterruptedException e) {
          return;
        }
      }
    }
    notified.set(17);
  }

  /** Null before JDK 21, which has none. */
  private ExecutorService startVirtualThreads() throws Exception {
    ExecutorService threads;
    try {
      threads =
          (ExecutorService)
              Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
    } catch (NoSuchMethodException e) {
      return null;
    }
    CountDownLatch started = new CountDownLatch(VIRTUAL_THREADS);
    for (int i = 0; i < VIRTUAL_THREADS; i++) {
      threads.submit(
          () -> {
            started.countDown();
            released.await();
            return virtualEnds.incrementAndGet();
          });
    }
    started.await();
    return threads;
  }

  private boolean virtualThreadsEnd() throws Exception {
    if (virtual == null) {
      return true;
    }
    released.countDown();
    virtual.shutdown();
    return virtual.awaitTermination(DEADLINE_S, TimeUnit.SECONDS)
        && virtualEnds.get() == VIRTUAL_THREADS;
  }

  private boolean oldExecutor() throws Exception {
    List<Future<Long>> sums = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      sums.add(pool.submit(this::sum));
    }
    for (Future<Long> each : sums) {
      if (each.get(DEADLINE_S, TimeUnit.SECONDS) != sum) {
        return false;
      }
    }
    return true;
  }

  private boolean monitorIsNotified() throws InterruptedException {
    synchronized (monitor) {
      released2 = true;
      monitor.notifyAll();
    }
    return await(() -> notified.get() == 17);
  }

  private boolean tickerGoesOn() throws InterruptedException {
    long before = ticks;
    return await(() -> ticks >= before + 3);
  }

  private static boolean parks() {
    long startNs = System.nanoTime();
    // May return early once, as a wait that a signal interrupts.
    for (int i = 0; i < 100 && System.nanoTime() - startNs < 2_000_000; i++) {
      java.util.concurrent.locks.LockSupport.parkNanos(2_000_000);
    }
    return System.nanoTime() - startNs >= 2_000_000;
  }

  private static boolean nullPointers() {
    int caught = 0;
    for (int i = 0; i < 20_000; i++) {
      try {
        length(i % 2 == 0 ? null : "four");
      } catch (NullPointerException e) {
        caught++;
      }
    }
    return caught == 10_000;
  }

  private static int length(String text) {
    return text.length();
  }

  private static boolean stackOverflow() {
    try {
      return depth(0) < 0;
    } catch (StackOverflowError e) {
      return true;
    }
  }

  private static int depth(int i) {
    return depth(i + 1) + 1;
  }

  private static boolean allocates() {
    List<byte[]> kept = new ArrayList<>();
    for (int i = 0; i < 4_000; i++) {
      byte[] bytes = new byte[20_000];
      bytes[i] = (byte) i;
      if (i % 200 == 0) {
        kept.add(bytes);
      }
    }
    for (int i = 0; i < kept.size(); i++) {
      if (kept.get(i)[200 * i] != (byte) (200 * i)) {
        return false;
      }
    }
    return true;
  }

  private boolean collects() {
    System.gc();
    return sum() == sum;
  }

  private static boolean newThreads() throws InterruptedException {
    AtomicInteger ended = new AtomicInteger();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      threads.add(new Thread(ended::incrementAndGet));
    }
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join(DEADLINE_S * 1_000L);
    }
    return ended.get() == 50;
  }

  private static boolean sockets() throws IOException {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Socket client = new Socket(server.getInetAddress(), server.getLocalPort());
        Socket accepted = server.accept()) {
      client.getOutputStream().write(99);
      return accepted.getInputStream().read() == 99;
    }
  }

  private static boolean selectorWorks(Selector selector) throws IOException {
    try (ServerSocketChannel server = ServerSocketChannel.open()) {
      server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      server.configureBlocking(false);
      server.register(selector, SelectionKey.OP_ACCEPT);
      try (SocketChannel client = SocketChannel.open(server.getLocalAddress())) {
        for (int i = 0; i < 10 && selector.select(DEADLINE_S * 100L) == 0; i++) {
          continue; // a wait may end early, once
        }
        SocketChannel accepted = server.accept();
        if (accepted == null) {
          return false;
        }
        accepted.close();
        return client.isConnected();
      }
    }
  }

  /** A class that no code has needed before: it is read from the class path by a child. */
  private static final class Unseen {
    static final Map<Integer, Integer> DOUBLED = Map.of(21, 42);
  }

  private static byte[] bytes(int from, int to) {
    byte[] bytes = new byte[to - from];
    for (int i = from; i < to; i++) {
      bytes[i - from] = (byte) (i * i % 251);
    }
    return bytes;
  }

  /** What zlib keeps between two calls is outside of the heap. */
  private boolean nativeMemoryIsKept() throws DataFormatException {
    deflater.setInput(bytes(500, 1000));
    deflater.finish();
    int size =
        deflatedBefore
            + deflater.deflate(deflated, deflatedBefore, deflated.length - deflatedBefore);
    Inflater inflater = new Inflater();
    inflater.setInput(deflated, 0, size);
    byte[] inflated = new byte[2000];
    int length = inflater.inflate(inflated);
    inflater.end();
    return length == 1000 && Arrays.equals(bytes(0, 1000), Arrays.copyOf(inflated, length));
  }

  /** The C library, with a function that calls back. */
  private interface Sorting extends Library {
    Sorting C = Native.load("c", Sorting.class);

    /** How two elements compare. */
    interface Order extends Callback {
      int compare(Pointer one, Pointer other);
    }

    Order DESCENDING = (one, other) -> Integer.compare(other.getInt(0), one.getInt(0));

    void qsort(Pointer base, NativeLong count, NativeLong size, Order order);
  }

  /** Java calls native code, which calls Java. */
  private static boolean nativeCodeCallsBack() {
    int[] numbers = {3, 1, 4, 1, 5, 9, 2, 6};
    try (Memory memory = new Memory(4L * numbers.length)) {
      memory.write(0, numbers, 0, numbers.length);
      Sorting.C.qsort(
          memory, new NativeLong(numbers.length), new NativeLong(4), Sorting.DESCENDING);
      return Arrays.equals(
          new int[] {9, 6, 5, 4, 3, 2, 1, 1}, memory.getIntArray(0, numbers.length));
    }
  }

  private static boolean proxies() {
    Callable<?> proxy =
        (Callable<?>)
            Proxy.newProxyInstance(
                JvmChecks.class.getClassLoader(),
                new Class<?>[] {Callable.class},
                (self, method, arguments) -> method.getName() + "!");
    try {
      return "call!".equals(proxy.call());
    } catch (Exception e) {
      return false;
    }
  }

  private static boolean threadDump() {
    return Arrays.stream(ManagementFactory.getThreadMXBean().dumpAllThreads(false, false))
        .anyMatch(thread -> thread.getThreadName().equals("ticker"));
  }

  private static boolean startsProcess() throws IOException, InterruptedException {
    return new ProcessBuilder("/bin/sh", "-c", "exit 7").start().waitFor() == 7;
  }

  private static boolean await(Callable<Boolean> condition) throws InterruptedException {
    long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_S);
    try {
      while (!condition.call()) {
        if (System.nanoTime() > deadlineNs) {
          return false;
        }
        Thread.sleep(1);
      }
      return true;
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}
