"""Le GPT-2 de transformers, à trois détails près : sa tête, la vitesse de `fit`, celle de `generate`.

La classe garde son nom et ses poids : `from_pretrained`, `fit`, `generate` et
`pipeline("text-generation", …)` s'en servent sans le savoir.
"""

import copy
import os

from workshop import quiet_tensorflow  # pylint: disable=unused-import,ungrouped-imports  # avant TensorFlow

import numpy as np
import tensorflow as tf
import transformers
from tf_keras.layers import Dense
from tf_keras.utils import unpack_x_y_sample_weight
from transformers.modeling_tf_outputs import TFCausalLMOutputWithCrossAttentions
from transformers.modeling_tf_pytorch_utils import TransposeType, convert_tf_weight_name_to_pt_weight_name
from transformers.modeling_tf_utils import unpack_inputs

from workshop.errors import WorkshopError
from workshop.learning.packing import IGNORED
from workshop.writing.engine import ACTIVATIONS, Network
from workshop.writing.generation import write_texts
from workshop.writing.sampling import Settings

CORES = min(8, os.cpu_count())

# Ce que `generation.py` sait faire, et ce qui n'y change rien. Pour le reste (recherche en faisceau…), celui de
# transformers.
FAST = {"max_new_tokens", "max_length", "min_new_tokens", "do_sample", "temperature", "top_k", "top_p",
        "repetition_penalty", "no_repeat_ngram_size", "num_return_sequences", "eos_token_id", "pad_token_id",
        "bos_token_id", "use_cache", "transformers_version", "_from_model_config"}


def over_slices(batch, start, follow):
    """Coupe un lot, un dictionnaire de tenseurs, en tranches de lignes, une par cœur, et les parcourt ensemble.

    `follow(index, part, so_far)` renvoie ce que l'on sait une fois la tranche `part` vue ; avant la première, c'est
    `start`. TensorFlow calcule en même temps ce qui ne dépend pas l'un de l'autre : chaque cœur suit sa tranche d'un
    bout à l'autre du réseau, au lieu d'attendre les autres à chaque opération. C'est pourquoi TF_NUM_INTRAOP_THREADS
    vaut 1 (workshop/__init__.py). La boucle est à TensorFlow : il n'en prépare qu'une, quel que soit leur nombre.
    """
    rows = tf.shape(batch["input_ids"])[0]

    def one(index, so_far):
        first, end = rows * index // CORES, rows * (index + 1) // CORES
        return index + 1, follow(index, {name: tensor[first:end] for name, tensor in batch.items()}, so_far)

    return tf.while_loop(lambda index, _: index < CORES, one, (0, start), parallel_iterations=CORES)[1]


class TFGPT2LMHeadModel(transformers.TFGPT2LMHeadModel):
    """Un GPT-2 dont la tête est la table des embeddings (le cas ordinaire), ou une table à elle.

    Celui de transformers emploie toujours la table des embeddings : un réseau publié avec
    `tie_word_embeddings=False` y perdrait sa tête sans un mot.
    """

    def __init__(self, config, *inputs, **kwargs):
        super().__init__(config, *inputs, **kwargs)
        self.lm_head = None
        self.twin = Twin()
        self.distribute_reduction_method = "first"  # à plusieurs, chacun a déjà la perte de tout le lot
        if not config.tie_word_embeddings:
            self.lm_head = Dense(config.vocab_size, use_bias=False, name="lm_head")

    def build(self, input_shape=None):
        """Crée les poids, ceux de la tête compris si elle en a."""
        if self.lm_head is not None and not self.lm_head.built:
            with tf.name_scope(self.lm_head.name):
                self.lm_head.build([None, None, self.config.n_embd])
        super().build(input_shape)

    @unpack_inputs
    def call(  # pylint: disable=too-many-arguments,too-many-positional-arguments
            # (ce sont ceux de transformers, moins ceux d'un réseau qui traduirait)
            self, input_ids=None, past_key_values=None, attention_mask=None, token_type_ids=None, position_ids=None,
            use_cache=None, output_attentions=None, output_hidden_states=None, return_dict=None, labels=None,
            training=False):
        """Renvoie ce que renvoie celui de transformers : les logits, de forme (lot, tokens, vocab_size), et la perte si
        `labels` est donné."""
        outputs = self.transformer(
            input_ids=input_ids, past_key_values=past_key_values, attention_mask=attention_mask,
            token_type_ids=token_type_ids, position_ids=position_ids, use_cache=use_cache,
            output_attentions=output_attentions, output_hidden_states=output_hidden_states, return_dict=True,
            training=training)
        logits = self.logits(outputs.last_hidden_state)
        result = TFCausalLMOutputWithCrossAttentions(
            loss=None if labels is None else self.hf_compute_loss(labels[:, 1:], logits[:, :-1]), logits=logits,
            past_key_values=outputs.past_key_values, hidden_states=outputs.hidden_states,
            attentions=outputs.attentions)
        return result if return_dict else result.to_tuple()

    def logits(self, hidden_states):
        """Renvoie, de forme (..., vocab_size), la préférence de chaque token à la sortie du réseau.

        `hidden_states` (..., largeur) sort de la dernière couche ; plus un logit est grand, plus le
        réseau croit que ce token vient ensuite.
        """
        if self.lm_head is not None:
            return self.lm_head(hidden_states)
        embeddings = tf.cast(self.transformer.wte.embeddings, hidden_states.dtype)
        return tf.tensordot(hidden_states, embeddings, axes=[[-1], [1]])

    def losses_at(self, hidden_states, targets):
        """Renvoie, de la forme de `targets`, la perte de chaque token à prédire, en nats, là où le réseau sort
        `hidden_states` ; celle d'une cible négative ne veut rien dire.

        À deux dimensions : à trois, TensorFlow vérifierait leurs formes, et chaque tranche attendrait la précédente.
        """
        logits = tf.cast(self.logits(tf.reshape(hidden_states, (-1, self.config.n_embd))), tf.float32)
        labels = tf.reshape(tf.nn.relu(targets), (-1,))
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        return tf.reshape(losses, tf.shape(targets))

    # `fit` appelle train_step à chaque pas, `evaluate` test_step. Ceux de transformers font le même
    # calcul, mais leur tête multiplie lot par lot une table de 8 000 lignes et recopie tous les
    # logits pour en ôter un sur 256 : sur deux cœurs, la moitié du temps d'un pas.

    def make_train_function(self, force=False):
        """Crée d'abord ce que l'optimiseur retient de chaque poids.

        Créé par le premier pas, TensorFlow tracerait ce pas deux fois : deux secondes de plus.
        """
        # pylint: disable-next=protected-access  # les optimiseurs d'avant Keras 2.11 n'ont pas de build
        create = getattr(self.optimizer, "build", None) or self.optimizer._create_all_weights
        create(self.trainable_variables)
        return super().make_train_function(force)

    @tf.autograph.experimental.do_not_convert  # rien à traduire ici : le premier pas vient deux fois plus vite
    def train_step(self, data):
        """Un pas sur un lot : la perte, ses gradients, et les poids qui bougent."""
        batch, _, _ = unpack_x_y_sample_weight(data)
        mean, gradients = self.mean_loss_and_gradients(batch)
        self.compiled_loss(mean, mean)  # Keras retient ainsi la perte, pour l'afficher
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        return {metric.name: metric.result() for metric in self.metrics}

    @tf.autograph.experimental.do_not_convert
    def test_step(self, data):
        batch, _, _ = unpack_x_y_sample_weight(data)
        mean = self.mean_loss(batch)
        self.compiled_loss(mean, mean)
        return {metric.name: metric.result() for metric in self.metrics}

    # --- Écrire ---------------------------------------------------------------------------

    def generate(self, inputs=None, generation_config=None, streamer=None, **kwargs):
        """Continue chaque amorce et renvoie un tenseur int32 : l'amorce, puis les tokens écrits.

        Les arguments ont le sens que leur donne transformers ; `streamer` y est en plus. Le calcul est
        celui de engine.py, vingt fois plus rapide ; ce qu'il ne sait pas faire est laissé à transformers.
        Avec le même `np.random.seed`, les mêmes textes.
        """
        config = copy.deepcopy(generation_config or self.generation_config)
        others = config.update(**kwargs)
        tokens = inputs if inputs is not None else others.pop("input_ids", None)
        mask = others.pop("attention_mask", None)
        if (set(config.to_diff_dict()) - FAST or any(value is not None for value in others.values())
                or self.config.activation_function not in ACTIVATIONS):
            return super().generate(inputs, generation_config, **kwargs, **({"streamer": streamer} if streamer else {}))
        if config.temperature < 0:
            raise WorkshopError(f"temperature vaut {config.temperature} : choisissez un nombre positif, comme 0.8.")
        ends = tuple(np.atleast_1d([] if config.eos_token_id is None else config.eos_token_id).tolist())
        start = config.bos_token_id if config.bos_token_id is not None else ends[0]
        tokens = np.full((1, 1), start) if tokens is None or np.shape(tokens)[1] == 0 else np.asarray(tokens)
        mask = np.ones_like(tokens) if mask is None or np.shape(mask) != tokens.shape else np.asarray(mask)
        tokens, mask = (np.repeat(array, config.num_return_sequences, axis=0) for array in (tokens, mask))
        if streamer is not None:
            streamer.put(tokens)
        settings = Settings(
            max_new_tokens=config.max_new_tokens or max(0, config.max_length - tokens.shape[1]),
            min_new_tokens=config.min_new_tokens or 0, do_sample=config.do_sample, temperature=config.temperature,
            top_k=config.top_k or 0, top_p=config.top_p, repetition_penalty=config.repetition_penalty,
            no_repeat_ngram_size=config.no_repeat_ngram_size or 0, eos_token_ids=ends)
        written = write_texts(self.twin.follow(self),
                              [row[seen.astype(bool)].tolist() or [start] for row, seen in zip(tokens, mask)], settings,
                              seed=np.random.randint(2**31), streamer=streamer)
        padding = config.pad_token_id if config.pad_token_id is not None else (ends or (0,))[0]
        longest = max(map(len, written))
        texts = [[*row, *new, *[padding] * (longest - len(new))] for row, new in zip(tokens, written)]
        return tf.constant(texts, tf.int32)

    # --- Apprendre ------------------------------------------------------------------------

    def mean_loss(self, batch):
        """Renvoie, de forme (1,), la perte moyenne des tokens à prédire de `batch`, en nats."""
        def follow(_, part, so_far):
            return so_far + self._summed_losses(part, training=False)

        return over_slices(batch, tf.zeros(1), follow) / _predicted(batch)

    def mean_loss_and_gradients(self, batch):
        """Renvoie cette perte, pendant l'apprentissage, et son gradient pour chaque poids à ajuster.

        À plusieurs appareils, chacun n'a que sa part du gradient : l'optimiseur en fait la somme.
        """
        predicted, weights = _predicted(batch), self.trainable_variables
        devices = tf.distribute.get_strategy().num_replicas_in_sync

        def follow(_, part, so_far):
            with tf.GradientTape() as tape:
                loss = self._summed_losses(part, training=True) / predicted
                share = loss / devices
            gradients = tape.gradient(share, weights, unconnected_gradients="zero")
            return tf.nest.map_structure(tf.add, so_far, (loss, gradients))

        return over_slices(batch, (tf.zeros(1), [tf.zeros_like(weight) for weight in weights]), follow)

    def _summed_losses(self, batch, training):
        inputs = {name: tensor for name, tensor in batch.items() if name != "labels"}
        hidden = self.transformer(**inputs, use_cache=False, training=training).last_hidden_state
        # Le token à prédire est le suivant ; après le dernier d'un bloc, il n'y en a pas.
        targets = tf.pad(batch["labels"][:, 1:], ((0, 0), (0, 1)), constant_values=IGNORED)
        return tf.reduce_sum(tf.where(targets == IGNORED, 0.0, self.losses_at(hidden, targets)))


def _predicted(batch):
    """Renvoie le nombre de tokens à prédire de `batch`.

    Si plusieurs appareils se partagent le lot (strategy.py), c'est ce qu'ils en ont en moyenne : leurs pertes ont alors
    pour moyenne celle du lot entier.
    """
    predicted = tf.reduce_sum(tf.cast(batch["labels"][:, 1:] != IGNORED, tf.float32))
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, predicted)


class Twin:
    """Le jumeau d'un TFGPT2LMHeadModel : le réseau de NumPy qui a les mêmes poids.

    TensorFlow ne récrit pas un tenseur que quelqu'un tient : un poids qui change va ailleurs en mémoire.
    Tenir ceux que l'on a lus suffit donc pour voir, à leurs adresses, lesquels sont restés ; on compare les autres.
    """

    def __init__(self):
        self._held, self._network = [], None

    def follow(self, model):
        """Renvoie le `Network` de ce modèle ; il n'est refait que si un poids a changé depuis la fois d'avant."""
        held = [np.asarray(memoryview(variable.value())) for variable in model.weights]
        if self._network is None or not all(map(_same, held, self._held)):
            self._held, self._network = [], None  # l'ancien rend sa mémoire avant que le nouveau n'en prenne
            self._held, self._network = held, Network(pytorch_weights(model), model.config.to_dict())
        return self._network


def _same(array, other):
    # Les embeddings, après un apprentissage : TensorFlow en donne une copie à chaque lecture.
    return array.ctypes.data == other.ctypes.data or np.array_equal(array, other)


def pytorch_weights(model):
    """Renvoie {nom: tableau} : les poids d'un TFGPT2LMHeadModel, nommés et rangés comme ceux de PyTorch."""
    tensors = {}
    for variable in model.weights:
        name, transposed = convert_tf_weight_name_to_pt_weight_name(variable.name, tf_weight_shape=variable.shape)
        array = variable.numpy()
        array = array.T if transposed is TransposeType.SIMPLE else array
        tensors[name] = np.ascontiguousarray(array.reshape(-1) if name.endswith(".bias") else array)
    return tensors
