using System.Collections.Concurrent;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Tests.Operator;

/// <summary>Garbage in a report costs that entry only: it is counted, logged once per change, and shown on the model it names.</summary>
public sealed class UnreadableEntryTests : OperatorFixture
{
    private const int Unreadable = 2103;
    private readonly ConcurrentQueue<string> _lines = [];

    protected override void Replace(IServiceCollection services) => services.AddSingleton<ILoggerProvider>(new Lines(_lines));

    [Test, CancelAfter(120_000)]
    public async Task It_is_counted_logged_once_per_change_and_shown(CancellationToken cancellationToken)
    {
        var (bad, good) = (await NodeAsync(cancellationToken), await NodeAsync(cancellationToken));
        var (model, other) = (await ModelAsync(cancellationToken), await ModelAsync(cancellationToken));
        await ReportAsync(good, model, NodeModelState.Ready, cancellationToken);
        await ReportAsync(bad, other, NodeModelState.Ready, cancellationToken);
        using var http = new HttpClient { BaseAddress = new Uri(Operator!.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()) };

        await ReportAsync(bad, model, "{broken", cancellationToken);
        await ReportAsync(bad, ModelKey.Cluster("not-there"), "[]", cancellationToken);
        await UntilShownAsync(model, $"the entry of {bad} cannot be read", cancellationToken);
        var found = await UntilAsync(model, static one => one.Status?.State == "Ready", cancellationToken);
        found.Status.NodesReady.Should().Equal([good], "the others count as before");
        await UntilAsync(other, one => one.Status?.NodesReady?.SequenceEqual([bad]) == true, cancellationToken);
        await UntilMetricsAsync(http, "ome_operator_unreadable_entries 2", cancellationToken);
        (await http.GetStringAsync("/metrics", cancellationToken)).Should().Contain($$"""ome_model_nodes{kind="ClusterBaseModel",namespace="",name="{{model.Name}}",state="unreadable"} 1""");

        // What the others say changes, and the same garbage comes again: nothing is said anew.
        await ReportAsync(good, model, NodeModelState.Failed, cancellationToken);
        await UntilAsync(model, static one => one.Status?.State == "Failed", cancellationToken);
        await ReportAsync(bad, model, "{broken ", cancellationToken);
        await ReportAsync(good, model, NodeModelState.Ready, cancellationToken);
        await UntilAsync(model, static one => one.Status?.State == "Ready", cancellationToken);
        _lines.Where(line => line.Contains(model.Name, StringComparison.Ordinal)).Should().ContainSingle().Which.Should().Contain(bad);

        await ReportAsync(bad, model, """{"status":{}}""", cancellationToken);
        await UntilShownAsync(model, "$.status", cancellationToken);
        _lines.Count(line => line.Contains(model.Name, StringComparison.Ordinal)).Should().Be(2, "it is other garbage");

        await ReportAsync(bad, model, NodeModelState.Ready, cancellationToken);
        await UntilAsync(model, static one => one.Status?.NodeSummary == "2/2" && !one.Status.Conditions!.Exists(static condition => condition.Type == "ReportsReadable"), cancellationToken);
        await UntilMetricsAsync(http, "ome_operator_unreadable_entries 1", cancellationToken);
    }

    private Task UntilShownAsync(ModelKey model, string text, CancellationToken cancellationToken) => UntilAsync(
        model, one => one.Status?.Conditions?.Exists(condition => condition is { Type: "ReportsReadable", Status: "False" } && condition.Message.Contains(text, StringComparison.Ordinal)) == true, cancellationToken);

    // A report without a model wakes nobody, so only the next scrapes tell that it was read.
    private static async Task UntilMetricsAsync(HttpClient http, string line, CancellationToken cancellationToken)
    {
        while (!(await http.GetStringAsync("/metrics", cancellationToken)).Contains("\n" + line + "\n", StringComparison.Ordinal))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, cancellationToken);
        }
    }

    private sealed class Lines(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == Unreadable && formatter(state, exception) is var text && text.Contains("cannot be read", StringComparison.Ordinal)) lines.Enqueue(text);
        }

        public void Dispose()
        {
        }
    }
}
