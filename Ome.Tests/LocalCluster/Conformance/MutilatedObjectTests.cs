using System.Text;
using System.Text.Json;
using Ome.Tests.Architecture;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>Objects with a value of a wrong JSON type, and bodies with a wrong byte: refused with the field named, never a server error, never stored.</summary>
public sealed class MutilatedObjectTests : ConformanceTest
{
    private const int Mutilations = 2_000;
    private const int BrokenBodies = 500;

    private IReadOnlyList<SoundObject> _sound = [];

    protected override async Task PrepareAsync()
    {
        await Plane.InstallCrdsAsync(Path.Combine(RepositoryTests.RepositoryRoot(), "config/crd"), CancellationToken.None);
        _sound = [.. SoundObject.All.Select(sound => sound.In(Namespace))];
    }

    [Test, CancelAfter(180_000)]
    public async Task The_sound_objects_are_accepted(CancellationToken ct)
    {
        foreach (var sound in _sound) (await CreateAsync(sound, sound.Json, ct)).Expect(201);
    }

    [Test, CancelAfter(240_000)]
    public async Task A_value_of_a_wrong_type_is_refused_by_field(CancellationToken ct)
    {
        var random = new Random(20_261);
        var refused = 0;
        for (var i = 0; i < Mutilations; i++)
        {
            var sound = _sound[i % _sound.Count];
            var mutilation = Mutilation.Random(sound.Json, random);
            var answer = await CreateAsync(sound, mutilation.Json, ct);
            Judge(sound, mutilation, answer);
            if (answer.Code != 201) refused++;
        }
        // Without a floor a server that accepts everything it can read back would pass.
        refused.Should().BeGreaterThan(Mutilations / 2);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_body_with_a_wrong_byte_is_no_server_error(CancellationToken ct)
    {
        var random = new Random(20_262);
        for (var i = 0; i < BrokenBodies; i++)
        {
            var sound = _sound[i % _sound.Count];
            var bytes = Encoding.UTF8.GetBytes(sound.Json);
            bytes[random.Next(bytes.Length)] = (byte)random.Next(32, 127);
            var body = Encoding.UTF8.GetString(bytes);

            var answer = await CreateAsync(sound, body, ct);

            answer.Code.Should().BeOneOf([201, 400, 403, 404, 409, 422], "of {0} for {1}", answer.Text, body);
            if (answer.Code == 201) ReadBack(sound, answer, body);
        }
    }

    [TestCase("application/merge-patch+json", """{"data":{"k":1}}""", "data")]
    [TestCase("application/merge-patch+json", """{"metadata":{"labels":["a"]}}""", "labels")]
    [TestCase("application/strategic-merge-patch+json", """{"metadata":{"ownerReferences":{"uid":"u"}}}""", "ownerReferences")]
    [TestCase("application/json-patch+json", """[{"op":"replace","path":"/immutable","value":"yes"}]""", "immutable")]
    [CancelAfter(120_000)]
    public async Task A_patch_to_a_wrong_type_is_refused_by_field(string type, string patch, string field, CancellationToken ct)
    {
        (await Api.PostAsync(ConfigMaps, """{"metadata":{"name":"a"},"data":{"k":"v"},"immutable":false}""", ct)).Expect(201);

        var answer = await Api.PatchAsync($"{ConfigMaps}/a", type, patch, ct);

        answer.Code.Should().BeOneOf([400, 422], "of {0}", answer.Text);
        answer.Text.Should().Contain(field);
        ((string?)(await Api.GetAsync($"{ConfigMaps}/a", ct)).Json["data"]!["k"]).Should().Be("v");
    }

    private Task<RawAnswer> CreateAsync(SoundObject sound, string json, CancellationToken ct) => Api.PostAsync(sound.Collection + "?dryRun=All", json, ct);

    private void Judge(SoundObject sound, Mutilation mutilation, RawAnswer answer)
    {
        if (answer.Code == 201)
        {
            ReadBack(sound, answer, mutilation.Json);
            // A quantity may be written as a number.
            if (!mutilation.IsNull && !mutilation.Path.Contains("limits") && mutilation.TryFind(answer.Json, out var kind))
                kind.Should().Be(mutilation.Was, "{0} may not become another type: {1}", mutilation.Where, answer.Text);
            return;
        }
        answer.Code.Should().BeOneOf([400, 422], "of {0} for {1}", answer.Text, mutilation.Json);
        // A real server's decoders of times, quantities and base64 name no field.
        if (Plane.Faults is not null) Names(mutilation).Any(name => answer.Text.Contains(name, StringComparison.Ordinal)).Should().BeTrue("{0} should name {1}", answer.Text, mutilation.Where);
    }

    // The field itself; for an item of a list or an entry of a map also what holds it.
    private static IEnumerable<string> Names(Mutilation mutilation) => mutilation.Path.Where(step => !int.TryParse(step, out _)).TakeLast(2);

    private static void ReadBack(SoundObject sound, RawAnswer answer, string sent)
    {
        var reading = () => sound.Read(answer.Text);
        reading.Should().NotThrow<JsonException>("what was accepted for {0} must be readable by a typed client: {1}", sent, answer.Text);
    }
}
