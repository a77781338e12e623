using KubeOps.Abstractions.Builder;
using KubeOps.KubernetesClient;
using KubeOps.Operator;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.KubeOpsApi.Support;

/// <summary>An operator for widgets of one namespace, running in this process.</summary>
public sealed class WidgetOperator : IAsyncDisposable
{
    private readonly IHost _host;

    private WidgetOperator(IHost host, WidgetLog log) => (_host, Log) = (host, log);

    public WidgetLog Log { get; }

    public IServiceProvider Services => _host.Services;

    public IKubernetesClient Client => Services.GetRequiredService<IKubernetesClient>();

    /// <summary>
    /// Builds and starts the operator. <c>before</c> makes registrations that must come before AddKubernetesOperator; <c>register</c> adds
    /// controllers and finalizers, by default one plain controller.
    /// </summary>
    public static async Task<WidgetOperator> StartAsync(
        ITestControlPlane plane,
        string? @namespace,
        Action<OperatorSettingsBuilder>? settings = null,
        Action<IOperatorBuilder>? register = null,
        Action<IServiceCollection>? before = null,
        WidgetLog? log = null,
        CancellationToken cancellationToken = default)
    {
        log ??= new WidgetLog();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddSingleton(log);
        builder.Services.AddSingleton(plane.Configuration);
        before?.Invoke(builder.Services);
        var operatorBuilder = builder.Services.AddKubernetesOperator(options =>
        {
            options.WithName("widget-operator").WithNamespace(@namespace).WithAutoAttachFinalizers(false)
                .WithParallelReconciliation(parallel => parallel.WithErrorBackoffBase(TimeSpan.FromMilliseconds(20)));
            settings?.Invoke(options);
        });
        if (register is null) operatorBuilder.AddController<WidgetController, Widget>();
        else register(operatorBuilder);
        var host = builder.Build();
        await host.StartAsync(cancellationToken);
        return new WidgetOperator(host, log);
    }

    /// <summary>Waits until a change to an object that nobody else uses has come through: the watch is up, and what came before it was seen.</summary>
    public async Task WaitUntilCaughtUpAsync(ITestControlPlane plane, string @namespace, CancellationToken cancellationToken, params (string Key, string Value)[] labels)
    {
        var probe = await plane.CreateWidgetAsync(Widget.Named("probe-" + Guid.NewGuid().ToString("N")[..8], @namespace, labels), cancellationToken);
        await Log.NextAsync("reconcile", probe.Metadata.Name, cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => _host.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await _host.StopAsync(patience.Token);
        if (_host is IAsyncDisposable host) await host.DisposeAsync();
        else _host.Dispose();
    }
}
