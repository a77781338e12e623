namespace Ome.LocalCluster.Demo;

/// <summary>Takes everything the demo made out of a cluster that stays. What cannot be removed is named; nothing here fails the demo.</summary>
internal sealed class DemoCleanup(DemoApi api)
{
    private const string Ome = "/apis/ome.io/v1beta1/";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Deletes the models and waits until operator and agents have let go of them.</summary>
    public Task RemoveModelsAsync() => TryAsync(async patience =>
    {
        var models = api.Created.Where(path => path.StartsWith(Ome, StringComparison.Ordinal)).ToList();
        foreach (var model in models) await api.DeleteAsync(model, patience);
        foreach (var model in models)
        {
            while (await api.GetAsync(model, patience) is not null) await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, patience);
        }
    });

    /// <summary>Deletes nodes, rights, namespace and CRDs, newest first; only what was not there before.</summary>
    public async Task RemoveTheRestAsync()
    {
        foreach (var path in api.Created.Reverse())
        {
            await TryAsync(async patience =>
            {
                // Their owner, the Node, would take the checks along only where somebody collects garbage.
                if (path.StartsWith("/api/v1/nodes/", StringComparison.Ordinal))
                    await api.DeleteAsync($"{Ome}modelintegritychecks?labelSelector=models.ome.io/node%3D{path["/api/v1/nodes/".Length..]}", patience);
                await api.DeleteAsync(path, patience);
            });
        }
    }

    private static async Task TryAsync(Func<CancellationToken, Task> work)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await work(patience.Token);
        }
        catch (Exception trouble) when (trouble is HttpRequestException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("demo: clean-up: " + trouble.Message);
        }
    }
}
