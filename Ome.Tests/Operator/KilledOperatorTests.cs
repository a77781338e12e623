namespace Ome.Tests.Operator;

/// <summary>The operator as a process, killed at any moment while nodes, reports and models change: the status ends as the fold of what is there.</summary>
public sealed class KilledOperatorTests : FaultFixture
{
    private OperatorProcess? _running;

    [TearDown]
    public async Task KillAsync()
    {
        if (_running is not null) await _running.DisposeAsync();
    }

    [Test, CancelAfter(180_000)]
    public Task Three_kills_end_in_the_right_status(CancellationToken cancellationToken) => RunAsync(kills: 3, seed: 1, cancellationToken);

    [Test, Category("Campaign"), CancelAfter(900_000)]
    public Task A_hundred_kills_end_in_the_right_status(CancellationToken cancellationToken) => RunAsync(kills: 100, seed: 2, cancellationToken);

    private async Task RunAsync(int kills, int seed, CancellationToken cancellationToken)
    {
        var random = new Random(seed);
        _running = OperatorProcess.Start(Plane, Namespace);
        await StopInProcessAsync();
        await FillAsync(cancellationToken);
        for (var kill = 0; kill < kills; kill++)
        {
            for (var i = random.Next(1, 12); i > 0; i--)
            {
                await ChangeAsync(random, cancellationToken);
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(60)), TimeProvider.System, cancellationToken);
            }

            await _running.DisposeAsync();
            // Now and then something happens while nobody looks.
            if (random.Next(3) == 0) await ChangeAsync(random, cancellationToken);
            _running = OperatorProcess.Start(Plane, Namespace);
        }

        await ConvergedAsync(cancellationToken);
    }

    private async Task StopInProcessAsync()
    {
        if (Operator is not null) await StopOperatorAsync(Operator);
        Operator = null;
    }
}
