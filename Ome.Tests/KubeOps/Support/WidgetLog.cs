using System.Collections.Concurrent;
using System.Threading.Channels;
using KubeOps.Abstractions.Reconciliation;

namespace Ome.Tests.KubeOpsApi.Support;

/// <summary>What a controller was called with.</summary>
public sealed record WidgetCall(string Method, Widget Widget)
{
    public string Name => Widget.Metadata.Name;

    public string Uid => Widget.Metadata.Uid;
}

/// <summary>The calls of a test's controllers and finalizers, and what these answer.</summary>
public sealed class WidgetLog
{
    private readonly Channel<WidgetCall> _news = Channel.CreateUnbounded<WidgetCall>();

    public delegate Task<ReconciliationResult<Widget>> Answer(Widget widget, CancellationToken cancellationToken);

    public ConcurrentQueue<WidgetCall> Calls { get; } = [];

    public Answer OnReconcile { get; set; } = Fine;

    public Answer OnDeleted { get; set; } = Fine;

    public Answer OnFinalize { get; set; } = Fine;

    public static Task<ReconciliationResult<Widget>> Fine(Widget widget, CancellationToken cancellationToken) =>
        Task.FromResult(ReconciliationResult<Widget>.Success(widget));

    public int Count(string method, string name) => Calls.Count(call => call.Method == method && call.Name == name);

    public void Add(string method, Widget widget)
    {
        var call = new WidgetCall(method, widget);
        Calls.Enqueue(call);
        _news.Writer.TryWrite(call);
    }

    /// <summary>The next call of that method for that object; calls read meanwhile are passed over.</summary>
    public async Task<WidgetCall> NextAsync(string method, string name, CancellationToken cancellationToken)
    {
        while (true)
        {
            var call = await _news.Reader.ReadAsync(cancellationToken);
            if (call.Method == method && call.Name == name) return call;
        }
    }
}
