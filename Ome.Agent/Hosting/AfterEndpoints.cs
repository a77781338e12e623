namespace Ome.Agent.Hosting;

/// <summary>
/// Makes and starts what else is hosted once the port answers. The host starts its web server last, after it has made all hosted services and started the others: records would be
/// read, and a disk that hangs waited for, while probes are refused.
/// </summary>
internal sealed class AfterEndpoints(IServiceProvider services) : BackgroundService, IHostedLifecycleService
{
    private static readonly object Key = typeof(AfterEndpoints);

    private readonly TaskCompletionSource<IReadOnlyList<IHostedService>> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<IHostedService> _hosted = [];

    /// <summary>Takes over all that is hosted so far.</summary>
    public static void TakeOver(IServiceCollection services)
    {
        foreach (var hosted in services.Where(static service => service.ServiceType == typeof(IHostedService) && !service.IsKeyedService).ToList())
        {
            services.Remove(hosted);
            services.Add(hosted switch
            {
                { ImplementationFactory: { } make } => new ServiceDescriptor(typeof(IHostedService), Key, (provider, _) => make(provider), ServiceLifetime.Singleton),
                { ImplementationType: { } type } => new ServiceDescriptor(typeof(IHostedService), Key, type, ServiceLifetime.Singleton),
                _ => new ServiceDescriptor(typeof(IHostedService), Key, hosted.ImplementationInstance!),
            });
        }

        services.AddHostedService<AfterEndpoints>();
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        foreach (var hosted in services.GetKeyedServices<IHostedService>(Key))
        {
            cancellationToken.ThrowIfCancellationRequested();
            _hosted.Add(hosted);
            await hosted.StartAsync(cancellationToken);
        }

        _started.SetResult(_hosted);
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        var failures = new List<Exception>();
        foreach (var hosted in Enumerable.Reverse(_hosted))
        {
            try
            {
                await hosted.StopAsync(cancellationToken);
            }
            catch (Exception failure)
            {
                // The others end in order all the same.
                failures.Add(failure);
            }
        }

        await base.StopAsync(cancellationToken);
        if (failures.Count > 0) throw new AggregateException(failures);
    }

    /// <summary>A loop that fails ends the process, as it would if the host had started it.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var hosted = await _started.Task.WaitAsync(stoppingToken);
        var running = hosted.OfType<BackgroundService>().Select(static service => service.ExecuteTask).OfType<Task>().ToList();
        while (running.Count > 0)
        {
            var ended = await Task.WhenAny(running).WaitAsync(stoppingToken);
            running.Remove(ended);
            await ended;
        }
    }
}
