using System.Collections.Concurrent;
using System.Threading.Channels;
using k8s.Models;
using Ome.Shared.Kube;
using Ome.Tests.Support;

namespace Ome.Tests.Kube;

/// <summary>An informer of ConfigMaps against a server that a test fills and breaks; what is kept of each is its version.</summary>
public abstract class InformerFixture
{
    protected const int Limit = 120_000;

    protected static readonly InformerOptions Quick = new()
    {
        Namespace = "ome",
        BackoffFirst = TimeSpan.FromMilliseconds(5),
        BackoffCap = TimeSpan.FromMilliseconds(20),
    };

    protected WatchServer Server { get; set; } = null!;

    /// <summary>What the handler was told.</summary>
    protected Channel<InformerEvent<string>> Events { get; private set; } = null!;

    protected RecordingLogger<Informer<V1ConfigMap, string>> Log { get; private set; } = null!;

    protected ConcurrentQueue<(string Name, bool IsMisfit)> Misfits { get; private set; } = null!;

    protected CancellationTokenSource Stop { get; private set; } = null!;

    /// <summary>The informer's loop, awaited after the test.</summary>
    protected Task Running { get; set; } = Task.CompletedTask;

    [SetUp]
    public async Task StartAsync()
    {
        Server = await WatchServer.StartAsync();
        Events = Channel.CreateUnbounded<InformerEvent<string>>();
        Log = new();
        Misfits = [];
        Stop = new();
    }

    [TearDown]
    public async Task StopAsync()
    {
        await Stop.CancelAsync();
        await Running;
        await Server.DisposeAsync();
        Stop.Dispose();
    }

    protected Informer<V1ConfigMap, string> Run(InformerOptions options, TimeProvider? time = null, InformerHandler<string>? handler = null)
    {
        handler ??= (change, _) => Events.Writer.TryWrite(change) ? ValueTask.CompletedTask : throw new InvalidOperationException("closed");
        var informer = new Informer<V1ConfigMap, string>(Server.Client, options, item => item.ResourceVersion(), handler, time ?? TimeProvider.System, Log, Note);
        Running = informer.RunAsync(Stop.Token);
        return informer;
    }

    protected async Task<InformerEvent<string>> NextAsync(CancellationToken cancellationToken) => await Events.Reader.ReadAsync(cancellationToken);

    protected static async Task UntilAsync(Func<bool> condition, CancellationToken cancellationToken)
    {
        while (!condition()) await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, cancellationToken);
    }

    protected void Note(ObjectName name, bool isMisfit) => Misfits.Enqueue((name.Name, isMisfit));
}
